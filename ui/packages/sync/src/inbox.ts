// The person's messages on this phone: caught up by asking, then heard on the stream, and answered as they are read.
//
// What became of a message is stored first and told to the desk when it can be. Trouble with messages never holds up
// the entries of this phone.

import { answer, type Api } from "@showdesk/api";
import * as v from "valibot";

import { durably } from "./durable.ts";
import { countAnew, isUntold, keepNotices, listed, markTold, moveOn, placeOf, raise } from "./notices.ts";
import { isAboutThePhone } from "./retry.ts";
import type { NoticePlace, Store, StoredNotice } from "./store.ts";
import { NoticePage, readNotice, type Notice, type NoticeState } from "./wire.ts";

const PAGE_LIMIT = 100;
/** More pages than this in one round means that something goes round in circles. */
const PAGES_MAX = 100;
const IDS_MAX = 200;
/** What the desk is told, the farthest first: a confirmation is waited for. */
const FARTHEST_FIRST = ["confirmed", "seen", "delivered"] as const;
/** A clock that differs less than this is right. */
const CLOCK_SLACK_MS = 2_000;

/** What an inbox is given. */
export interface InboxParts {
  readonly store: Store;
  readonly api: Api;
  readonly now: () => number;
  /** Something was stored; `isOwn` if the desk must be told of it. */
  readonly onStored: (isOwn: boolean) => void;
  /** Something that was heard could not be stored: it must be asked for. */
  readonly onLost: () => void;
}

/** One message as it was heard; `isInOrder` if none before it is still to come on the same way. */
interface Heard {
  readonly notice: Notice;
  readonly isInOrder: boolean;
}

/** The messages of this phone's person. */
export class Inbox {
  readonly #parts: InboxParts;
  readonly #listeners = new Set<() => void>();
  readonly #arrivalListeners = new Set<(arrived: readonly StoredNotice[]) => void>();
  #items: readonly StoredNotice[] = [];
  /** Where what the stream tells follows on: all before it is stored. Nothing, as long as something may be missing. */
  #follows: NoticePlace | null = null;
  /** How often something that was heard could not be stored. */
  #losses = 0;
  #clockAheadMs = 0;
  /** Heard and not yet stored. */
  #heard: Heard[] = [];
  #storing: Promise<void> | undefined;
  #telling: Promise<void> | undefined;
  /** Something happened since the store was last looked through for what to tell. */
  #hasMore = false;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** All messages that the phone keeps, in no order. */
  get items(): readonly StoredNotice[] {
    return this.#items;
  }

  /** The number up to which the phone has everything, for the stream to go on from; nothing if that is not known. */
  get after(): number | null {
    return this.#follows?.after ?? null;
  }

  /** The time as the desk has it: by it messages expire, however wrong the phone's clock is. */
  get nowMs(): number {
    return this.#parts.now() + this.#clockAheadMs;
  }

  /** Called after each change, until the returned function is. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called with messages that are new to the person, in the tab that heard them. */
  onArrived(listener: (arrived: readonly StoredNotice[]) => void): () => void {
    this.#arrivalListeners.add(listener);
    return () => this.#arrivalListeners.delete(listener);
  }

  /** Reads again what is stored. */
  async read(): Promise<void> {
    this.#items = await listed(this.#parts.store);
    for (const listener of this.#listeners) listener();
  }

  /** Shows what the phone has from earlier. */
  async start(): Promise<void> {
    this.#follows = null;
    this.#clockAheadMs = (await this.#parts.store.fact("clock_ahead_ms")) ?? 0;
    await this.read();
  }

  /** The desk has said what time it is. */
  async setClock(serverTime: string): Promise<void> {
    const aheadMs = Date.parse(serverTime) - this.#parts.now();
    if (!Number.isFinite(aheadMs) || Math.abs(aheadMs - this.#clockAheadMs) < CLOCK_SLACK_MS) return;
    this.#clockAheadMs = aheadMs;
    await this.#parts.store.setFact("clock_ahead_ms", aheadMs);
    for (const listener of this.#listeners) listener();
  }

  /**
   * Asks for what came since, unless the stream that is heard tells it: one does that follows on from what is stored.
   * An older desk of the same show has no messages.
   */
  async catchUp(isHearing: boolean = false): Promise<void> {
    const losses = this.#losses;
    try {
      const place = await placeOf(this.#parts.store);
      if (isHearing && isSame(this.#follows, place)) return;
      // A stream that is opened now tells by itself what the phone does not have.
      if (!isHearing) this.#follows = place ?? null;
      await this.#ask();
      if (losses === this.#losses) this.#follows = (await placeOf(this.#parts.store)) ?? null;
    } catch (error) {
      if (isAboutThePhone(error)) throw error;
    }
  }

  /** One message of the stream, which tells them in order. */
  hear(told: unknown): void {
    this.#take(told, true);
  }

  /** One message that came another way, perhaps before others. */
  hearEarly(told: unknown): void {
    this.#take(told, false);
  }

  /** The person got so far with these. When this resolves it is stored, and on its way to the desk. */
  async raise(ids: readonly string[], state: NoticeState): Promise<void> {
    const { store } = this.#parts;
    if (!(await durably(store, () => raise(store, ids, state)))) return;
    await this.read();
    this.#parts.onStored(true);
  }

  /** Tells the desk what became of messages. What it does not hear now, it hears later. */
  async tell(): Promise<void> {
    this.#hasMore = true;
    this.#telling ??= this.#tellAll();
    await this.#telling;
  }

  /** Waits until all that was heard is stored, and the desk was told of it or could not be. */
  async settled(): Promise<void> {
    while (this.#storing !== undefined || this.#telling !== undefined) {
      await Promise.allSettled([this.#storing, this.#telling]);
    }
  }

  async #ask(): Promise<void> {
    const { api, store, onStored } = this.#parts;
    // Another person's messages, that `placeOf` has cleared away, leave the screens of all tabs.
    await this.read();
    onStored(false);
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const place = await placeOf(store);
      if (place === undefined) return;
      const query = { after: place.after, limit: PAGE_LIMIT };
      const told = v.parse(NoticePage, answer(await api.GET("/api/v1/me/notifications", { params: { query } })));
      if (told.latest < place.after) {
        await this.#startAnew(place);
        continue;
      }
      const items = told.items.map(readNotice).filter((notice) => notice !== undefined);
      const missed = told.missed.map(readNotice).filter((notice) => notice !== undefined);
      const last = items.reduce((most, { seq }) => Math.max(most, seq), place.after);
      const notices = [...items, ...missed];
      const arrived = await this.#keep(notices, place, told.more ? last : Math.max(last, told.latest));
      if (notices.length > 0) await this.#show(arrived);
      // A page of which nothing can be read leads no further.
      if (!told.more || last === place.after) return;
    }
  }

  /** The desk counts from lower numbers than this phone has: it was put back without saying so. */
  async #startAnew({ person, epoch }: NoticePlace): Promise<void> {
    const { store } = this.#parts;
    await store.transaction("rw", [store.facts, store.notices], async () => {
      await countAnew(store);
      await store.setFact("notices_at", { person, epoch, after: 0 });
    });
  }

  #take(told: unknown, isInOrder: boolean): void {
    const notice = readNotice(told);
    if (notice === undefined) return;
    this.#heard.push({ notice, isInOrder });
    this.#storing ??= this.#storeHeard();
  }

  /** Stores what was heard, in the order in which it was; what is heard meanwhile goes with the next turn. */
  async #storeHeard(): Promise<void> {
    const { store, onLost } = this.#parts;
    while (this.#heard.length > 0) {
      const heard = this.#heard;
      this.#heard = [];
      try {
        const arrived = await durably(store, () => this.#keepHeard(heard));
        if (arrived !== undefined) await this.#show(arrived);
      } catch {
        // Not stored and not told as delivered. What came early is told again anyhow.
        if (!heard.some(({ isInOrder }) => isInOrder)) continue;
        this.#follows = null;
        this.#losses += 1;
        onLost();
      }
    }
    // In the same breath as the last look: what is heard from here on begins anew.
    this.#storing = undefined;
  }

  async #keepHeard(heard: readonly Heard[]): Promise<readonly StoredNotice[] | undefined> {
    const place = await placeOf(this.#parts.store);
    if (place === undefined) return undefined;
    const notices = heard.map(({ notice }) => notice);
    const from = this.#follows;
    // Numbers of another stream, or behind a gap, say nothing of what is before them.
    const inOrder = isSame(from, place) ? heard.filter(({ isInOrder }) => isInOrder) : [];
    const after = Math.max(place.after, ...inOrder.map(({ notice }) => notice.seq));
    const arrived = await this.#keep(notices, place, after);
    if (inOrder.length > 0 && this.#follows === from) this.#follows = { ...place, after };
    return arrived;
  }

  async #keep(notices: readonly Notice[], place: NoticePlace, after: number): Promise<readonly StoredNotice[]> {
    const { store } = this.#parts;
    return await store.transaction("rw", [store.facts, store.notices], async () => {
      const arrived = await keepNotices(store, notices, this.nowMs);
      await moveOn(store, place, after);
      return arrived;
    });
  }

  async #show(arrived: readonly StoredNotice[]): Promise<void> {
    await this.read();
    if (arrived.length > 0) for (const listener of this.#arrivalListeners) listener(arrived);
    this.#parts.onStored(true);
  }

  async #tellAll(): Promise<void> {
    try {
      do {
        this.#hasMore = false;
        await this.#tellOnce();
      } while (this.#hasMore);
    } finally {
      // In the same breath as the last look: whoever has more from here on begins anew.
      this.#telling = undefined;
    }
  }

  async #tellOnce(): Promise<void> {
    const { api, store, onStored } = this.#parts;
    let hasTold = false;
    try {
      // Anew each time: more may have happened while the desk was told.
      for (let request = 0; request < PAGES_MAX; request += 1) {
        const untold = (await store.notices.toArray()).filter(isUntold);
        const state = FARTHEST_FIRST.find((one) => untold.some(({ own }) => own === one));
        if (state === undefined) break;
        const ids = untold.flatMap(({ id, own }) => (own === state ? [id] : [])).slice(0, IDS_MAX);
        answer(await api.POST("/api/v1/me/notifications/ack", { body: { ids, state } }));
        await markTold(store, ids, state, this.nowMs);
        hasTold = true;
      }
    } catch (error) {
      if (isAboutThePhone(error)) throw error;
    } finally {
      if (hasTold) {
        await this.read();
        onStored(false);
      }
    }
  }
}

/** Whether these are numbers of one person in one life of the desk. */
function isSame(one: NoticePlace | null, other: NoticePlace | undefined): one is NoticePlace {
  return one !== null && one.person === other?.person && one.epoch === other.epoch;
}
