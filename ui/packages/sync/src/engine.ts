// Decides when to talk to the desk and in which order: ping, epoch, push, pull, open checks.
//
// One round at a time, in one tab. A failed round changes nothing but the status; entries stay where they are.

import type { Api, ApiProblem, LiveEvent, readLive } from "@showdesk/api";

import { takeChecks } from "./checks.ts";
import { durably } from "./durable.ts";
import { Inbox } from "./inbox.ts";
import type { Journal } from "./journal.ts";
import { stopLeading, takeLead, tryLead } from "./leader.ts";
import { addEntry, addTogether, type Draft } from "./outbox.ts";
import type { Page, Wish } from "./page.ts";
import { Pace } from "./push.ts";
import type { Reach } from "./reach.ts";
import { enterEpoch } from "./recover.ts";
import { failureOf, isAboutThePhone, leftMs, TICK_MS, waitMs, type Failure } from "./retry.ts";
import { talk } from "./round.ts";
import { takeMe } from "./session.ts";
import type { RowKey } from "./settle.ts";
import { count, FIRST_STATUS, nextSendMs, type SyncStatus } from "./status.ts";
import type { Store, StoredOp } from "./store.ts";
import type { Tabs } from "./tabs.ts";
import { LocalView } from "./view.ts";

/** After coming back from the background the network needs a moment. */
const RESUME_MS = 1_500;
/** The screen says what it saved first: a few frames, before the show is read again around the new entry. */
const SAID_MS = 50;
/** What this phone is at the show is asked for so often, whether or not the desk has told of a change. */
const ME_MS = 5 * 60_000;
/** A tab that leads and lives answers the others within this. */
const LEADER_ANSWER_MS = 300;
/** A desk that lives in another epoch each time it is asked is not followed for ever without a pause. */
const EPOCHS_IN_A_ROW_MAX = 3;

/** What the engine is given. */
export interface EngineParts {
  readonly store: Store;
  /** Talks to wherever `reach` has found the laptop. */
  readonly api: Api;
  readonly reach: Reach;
  readonly page: Page;
  readonly tabs: Tabs;
  /** Keeps the newest entries a second time. */
  readonly journal: Journal;
  /** Names this tab. */
  readonly tab: string;
  readonly now: () => number;
  readonly random: () => number;
  /** Opens the desk's event stream; `readLive` of the api package with address and token. */
  readonly live: (
    signal: AbortSignal,
    onEvent: (event: LiveEvent) => void,
    lastEventId: string | null,
  ) => ReturnType<typeof readLive>;
  /** Hears how long each conversation took that this tab had with the desk, and what was wrong with it, if anything. */
  readonly onTalked?: (tookMs: number, error: unknown) => void;
}

/** The phone's sync. */
export class SyncEngine {
  readonly view: LocalView;
  /** The messages of the desk. */
  readonly inbox: Inbox;
  readonly #parts: EngineParts;
  readonly #listeners = new Set<() => void>();
  readonly #pace = new Pace();
  #status = FIRST_STATUS;
  #failures = 0;
  /** The desk has asked for quiet until then. */
  #quietUntilMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  /** What follows new entries, while it does. */
  #following: Promise<void> | undefined;
  #again = false;
  #checksMoved = true;
  /** A stream was opened after the last round. */
  #missesNews = false;
  /** When the desk last said what this phone is; never, or it has changed since. */
  #meAtMs: number | null = null;
  #seenClock = -1;
  #stream: AbortController | undefined;
  #isRunning = false;
  #isLeading = false;
  #onLeader: () => void = () => undefined;
  /** The store has everything that the journal has. */
  #isWhole = false;
  #unlisten: () => void = () => undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.view = new LocalView(parts.store);
    const { store, api, now } = parts;
    this.inbox = new Inbox({ store, api, now, onStored: (isOwn) => this.#onNotices(isOwn), onLost: () => this.sync() });
  }

  get status(): SyncStatus {
    return this.#status;
  }

  /** Whether this tab hears the desk's stream. */
  get hasStream(): boolean {
    return this.#stream !== undefined;
  }

  /** Called after each change of the status, until the returned function is. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Shows what the phone has, then begins to talk to the desk. */
  async start(): Promise<void> {
    this.#isRunning = true;
    this.#isWhole = false;
    this.#meAtMs = null;
    const { page, tabs } = this.#parts;
    this.#unlisten = page.listen((wish) => this.#onWish(wish));
    tabs.listen((news) => {
      void this.#onRows(news.rows, false);
      if (news.notices) void this.inbox.read().catch(() => undefined);
      if (news.status) {
        this.#set(news.status);
        // Told by the tab that leads: one of them hears for all.
        if (!this.#isLeading) this.#closeStream();
      }
      if (news.wantsSync) this.sync();
      if (news.asksLeader && this.#isLeading) tabs.tell({ rows: [], wantsSync: false, leads: true });
      if (news.leads) this.#onLeader();
    });
    await this.inbox.start();
    await this.#putBack();
    await this.view.refresh("all");
    await this.#recount({});
    this.sync();
  }

  /** Talks to nobody until the next start; waits for the round under way. */
  async rest(): Promise<void> {
    this.#isRunning = false;
    this.#isLeading = false;
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#closeStream();
    await this.settled();
    await this.inbox.settled();
    await stopLeading(this.#parts.store, this.#parts.tab);
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await this.rest();
    this.#parts.tabs.close();
  }

  /** Stores an entry. When this resolves it is on the phone's disk, and on its way. */
  async add(draft: Draft): Promise<StoredOp> {
    const op = await addEntry(this.#parts.store, draft, this.#parts.now());
    this.#added([op]);
    return op;
  }

  /** Stores entries that the desk takes all or none of, such as the places of a class. */
  async addTogether(drafts: readonly Draft[]): Promise<StoredOp[]> {
    const ops = await addTogether(this.#parts.store, drafts, this.#parts.now());
    this.#added(ops);
    return ops;
  }

  /** Asks for a round now. One that is under way is followed by another; one that the desk asked to wait, waits. */
  sync(): void {
    if (!this.#isRunning) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    const quietMs = leftMs(this.#quietUntilMs, this.#parts.now());
    if (quietMs > 0) {
      this.#plan(quietMs);
      return;
    }
    clearTimeout(this.#timer);
    this.#begin(() => this.#runRound());
  }

  /** Waits until no round is under way, and new entries are shown. */
  async settled(): Promise<void> {
    // A round can be followed by one more that was asked for meanwhile.
    while (this.#round !== undefined || this.#following !== undefined) await (this.#following ?? this.#round);
  }

  /** Counts anew after something outside the rounds changed the store. */
  async refresh(): Promise<void> {
    await this.inbox.read();
    await this.view.refresh("all");
    await this.#recount({});
  }

  /** The entries are safe: whoever made them need not wait for what follows. */
  #added(ops: readonly StoredOp[]): void {
    // Nothing says that all is sent from here on; the store is counted when there is time.
    this.#set({ waiting: this.#status.waiting + ops.length, oldestMs: this.#status.oldestMs ?? this.#parts.now() });
    const earlier = this.#following;
    const now = this.#follow(ops, earlier).finally(() => {
      if (this.#following === now) this.#following = undefined;
    });
    this.#following = now;
  }

  /** Shows new entries, notes them a second time, and sends them. */
  async #follow(ops: readonly StoredOp[], earlier: Promise<void> | undefined): Promise<void> {
    const rows = ops.map((op) => [op.table_name, op.record_id] as const);
    try {
      await earlier;
      await new Promise((resolve) => setTimeout(resolve, SAID_MS));
      await Promise.all([this.#onRows(rows, true), this.#parts.journal.note(this.#parts.store, ops)]);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === "trouble") this.#set({ trouble: { code: failure.code, detail: failure.detail } });
    }
    this.sync();
  }

  /** Begins a conversation. What is asked for meanwhile follows it; a round asks for all that is missing. */
  #begin(conversation: () => Promise<void>): void {
    this.#round = conversation().finally(() => {
      this.#round = undefined;
      if (this.#again) {
        this.#again = false;
        this.sync();
      } else if (this.#missesNews && this.#isRunning) {
        this.#begin(() => this.#askForNews());
      }
    });
  }

  async #runRound(): Promise<void> {
    const { store, now } = this.#parts;
    try {
      this.#isLeading = await this.#leads();
      if (!this.#isLeading) {
        this.#parts.tabs.tell({ rows: [], wantsSync: true });
        await this.#recount({});
        this.#plan(TICK_MS);
        return;
      }
      await this.#putBack();
      const refusal = await this.#timed(() => durably(store, () => this.#talk()));
      await this.#parts.journal.strike(store).catch(() => undefined);
      this.#failures = 0;
      await store.setFact("last_sent_ms", now());
      const trouble = refusal && { code: refusal.code, detail: refusal.detail };
      await this.#recount({ access: "ok", link: "near", away: null, sending: null, trouble });
      this.#plan(Math.min(TICK_MS, await nextSendMs(store, now())));
      this.#openStream();
    } catch (error) {
      await this.#onFailure(failureOf(error));
    }
    const { access, link, away, nextTryMs } = this.#status;
    this.#parts.tabs.tell({ rows: [], wantsSync: false, status: { access, link, away, nextTryMs } });
  }

  async #timed(talk: () => Promise<ApiProblem | null>): Promise<ApiProblem | null> {
    const { onTalked } = this.#parts;
    const began = performance.now();
    try {
      const refusal = await talk();
      onTalked?.(performance.now() - began, refusal);
      return refusal;
    } catch (error) {
      onTalked?.(performance.now() - began, error);
      throw error;
    }
  }

  /** Whether this tab leads. The lease of a page that was closed or killed would hold everybody up. */
  async #leads(): Promise<boolean> {
    const { store, tab, tabs, now } = this.#parts;
    if (await tryLead(store, tab, now())) return true;
    if (!tabs.hears || (await this.#hearsLeader())) return false;
    await takeLead(store, tab, now());
    return true;
  }

  /** Asks the tab that leads whether it is there. */
  #hearsLeader(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), LEADER_ANSWER_MS);
      this.#onLeader = () => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#parts.tabs.tell({ rows: [], wantsSync: false, asksLeader: true });
    });
  }

  /** Entries that the store has lost come back; what hinders it now, will not in a later round. */
  async #putBack(): Promise<void> {
    if (this.#isWhole) return;
    const { journal, store } = this.#parts;
    try {
      if ((await journal.putBack(store)) > 0) await this.#onRows("all", true);
      this.#isWhole = true;
    } catch {
      // Each round tries again.
    }
  }

  /** Answers why entries were set aside, if any were. */
  async #talk(): Promise<ApiProblem | null> {
    const { store, api, reach, now, random } = this.#parts;
    // What was told while no stream was open, nobody heard.
    const looksAtChecks = this.#checksMoved || this.#stream === undefined;
    // Before the talk: what is told during it belongs to the next one.
    this.#checksMoved = false;
    this.#missesNews = false;
    try {
      const said = await talk({
        store,
        api,
        reach,
        now,
        random,
        pace: this.#pace,
        looksAtChecks,
        onFound: (who) => {
          this.#set({ link: "near", away: null, movedTo: reach.movedTo, offersHttps: who.https.length > 0 });
          return this.inbox.setClock(who.server_time);
        },
        onNotices: () => this.#askNotices(),
        onProgress: (sending) => this.#set({ sending }),
        onRows: (touched) => this.#onRows(touched, true),
      });
      this.#seenClock = said?.clock ?? this.#seenClock;
      return said?.refusal ?? null;
    } catch (error) {
      this.#checksMoved ||= looksAtChecks;
      throw error;
    }
  }

  /** The stream tells who this phone is, and its messages, only while it is open: without one, each round asks. */
  async #askNotices(): Promise<void> {
    const isHearing = this.#stream !== undefined;
    // First who: another person has other messages, in numbers of their own.
    if (!isHearing || this.#meAtMs === null || Math.abs(this.#parts.now() - this.#meAtMs) > ME_MS) await this.#askMe();
    await this.inbox.catchUp(isHearing);
    await this.inbox.tell();
  }

  async #askMe(): Promise<void> {
    const { api, store, now } = this.#parts;
    // Before it is asked: what is told meanwhile asks again.
    this.#meAtMs = now();
    try {
      await takeMe(api, store);
    } catch (error) {
      this.#meAtMs = null;
      if (isAboutThePhone(error)) throw error;
    }
  }

  /** Messages were stored; what became of them goes to the desk at once where this tab talks to it. */
  #onNotices(isOwn: boolean): void {
    this.#parts.tabs.tell({ rows: [], wantsSync: false, notices: true });
    if (!isOwn || !this.#isRunning) return;
    if (this.#isLeading) this.inbox.tell().catch(() => this.sync());
    else this.sync();
  }

  async #onFailure(failure: Failure): Promise<void> {
    this.#failures += 1;
    const { now, random, store } = this.#parts;
    const asked = failure.kind === "busy" || failure.kind === "full" ? failure.waitMs : null;
    const wait = waitMs(this.#failures, asked, random);
    if (asked !== null) this.#quietUntilMs = now() + wait;
    const still = { sending: null, away: null };
    switch (failure.kind) {
      case "away": {
        // Whether the laptop's disk is still full cannot be known from here.
        const access = this.#status.access === "full" ? "ok" : this.#status.access;
        // A stream from before may be dead without a word.
        this.#closeStream();
        await this.#recount({ ...still, link: "away", away: failure.reason, access });
        break;
      }
      case "busy":
        await this.#recount({ ...still, link: "near" });
        break;
      case "full":
        await this.#recount({ ...still, link: "near", access: "full" });
        break;
      case "signed_out":
      case "expired":
      case "removed":
      case "too_old":
        await this.#recount({ ...still, link: "near", access: failure.kind, nextTryMs: null });
        // Only a person can help: a slow tick stays, because the desk may change its mind.
        this.#plan(TICK_MS);
        return;
      case "other_epoch":
        await enterEpoch(store, failure.epoch);
        this.#again = this.#failures < EPOCHS_IN_A_ROW_MAX;
        break;
      case "trouble":
        await this.#recount({ ...still, trouble: { code: failure.code, detail: failure.detail } });
        break;
    }
    this.#plan(wait);
  }

  /** The next round by itself, as long as somebody looks at the page. */
  #plan(inMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#isRunning || !this.#parts.page.isVisible()) return;
    this.#timer = setTimeout(() => this.sync(), inMs);
    this.#set({ nextTryMs: this.#parts.now() + inMs });
  }

  #onWish(wish: Wish): void {
    switch (wish) {
      case "resume":
        // A stream from before the background may be dead without a word.
        this.#closeStream();
        this.#plan(RESUME_MS);
        return;
      case "focus":
        this.sync();
        return;
      case "hide":
        clearTimeout(this.#timer);
        this.#isLeading = false;
        // Another tab that is looked at may lead at once.
        void stopLeading(this.#parts.store, this.#parts.tab);
        return;
    }
  }

  #openStream(): void {
    if (this.#stream !== undefined || !this.#isRunning || !this.#parts.page.isVisible()) return;
    const stream = new AbortController();
    this.#stream = stream;
    const onEnd = () => {
      if (this.#stream === stream) this.#stream = undefined;
      if (!this.#isRunning || stream.signal.aborted) return;
      // The desk went away or let us go: the next round finds out which, a little later each time.
      this.#plan(waitMs(Math.max(1, this.#failures), null, this.#parts.random));
    };
    const { after } = this.inbox;
    const lastEventId = after === null ? null : String(after);
    let isHeard = false;
    const onEvent = (event: LiveEvent) => {
      if (!isHeard) this.#catchUp();
      isHeard = true;
      this.#onEvent(event);
    };
    void this.#parts.live(stream.signal, onEvent, lastEventId).then(onEnd, onEnd);
  }

  /** What was told between the last round and the stream's first event, nobody heard. Messages have numbers instead. */
  #catchUp(): void {
    this.#checksMoved = true;
    this.#meAtMs = null;
    this.#missesNews = true;
    if (this.#isRunning && this.#round === undefined) this.#begin(() => this.#askForNews());
  }

  /** Asks for what only a stream tells, and for nothing else. */
  async #askForNews(): Promise<void> {
    const { api, store } = this.#parts;
    this.#missesNews = false;
    this.#checksMoved = false;
    try {
      await durably(store, async () => {
        await this.#askMe();
        await this.#onRows(await takeChecks(api, store), true);
      });
    } catch (error) {
      this.#checksMoved = true;
      await this.#onFailure(failureOf(error));
    }
  }

  #closeStream(): void {
    this.#stream?.abort();
    this.#stream = undefined;
  }

  #onEvent(event: LiveEvent): void {
    if (event.type === "poke") {
      const clock =
        typeof event.data === "object" && event.data !== null && "clock" in event.data ? event.data.clock : 0;
      if (typeof clock !== "number" || clock > this.#seenClock) this.sync();
    } else if (event.type === "conflict") {
      this.#checksMoved = true;
      this.sync();
    } else if (event.type === "notification") {
      this.inbox.hear(event.data);
    } else if (event.type === "me") {
      // The desk has changed what this phone is, or asks for its entries.
      this.#meAtMs = null;
      this.sync();
    }
  }

  async #onRows(touched: readonly RowKey[] | "all", tell: boolean): Promise<void> {
    if (touched !== "all" && touched.length === 0) return;
    if (tell) this.#parts.tabs.tell({ rows: touched, wantsSync: false });
    await this.view.refresh(touched);
    await this.#recount({});
  }

  async #recount(change: Partial<SyncStatus>): Promise<void> {
    this.#set({ ...(await count(this.#parts.store)), ...change });
  }

  #set(change: Partial<SyncStatus>): void {
    this.#status = { ...this.#status, ...change };
    for (const listener of this.#listeners) listener();
  }
}
