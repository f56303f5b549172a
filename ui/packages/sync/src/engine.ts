// Decides when to talk to the desk and in which order: ping, epoch, push, pull, open checks.
//
// One round at a time, in one tab. A failed round changes nothing but the status; entries stay where they are.

import { readLive, Unreachable, type Api, type LiveEvent } from "@showdesk/api";

import { askOpen, takeChecks } from "./checks.ts";
import { durably } from "./durable.ts";
import { stopLeading, tryLead } from "./leader.ts";
import { addEntry, type Draft } from "./outbox.ts";
import type { Page, Wish } from "./page.ts";
import { pullAll } from "./pull.ts";
import { pushAll } from "./push.ts";
import { enterEpoch, giveBack } from "./recover.ts";
import { failureOf, TICK_MS, waitMs, type Failure } from "./retry.ts";
import { askWho } from "./session.ts";
import { forgetOld, type RowKey } from "./settle.ts";
import { count, FIRST_STATUS, type SyncStatus } from "./status.ts";
import type { Store, StoredOp } from "./store.ts";
import type { Tabs } from "./tabs.ts";
import { LocalView } from "./view.ts";

/** After coming back from the background the network needs a moment. */
const RESUME_MS = 1_500;

/** What the engine is given. */
export interface EngineParts {
  readonly store: Store;
  readonly api: Api;
  readonly page: Page;
  readonly tabs: Tabs;
  /** Names this tab. */
  readonly tab: string;
  readonly now: () => number;
  readonly random: () => number;
  /** Opens the desk's event stream; `readLive` of the api package with address and token. */
  readonly live: (signal: AbortSignal, onEvent: (event: LiveEvent) => void) => ReturnType<typeof readLive>;
}

/** The phone's sync. */
export class SyncEngine {
  readonly view: LocalView;
  readonly #parts: EngineParts;
  readonly #listeners = new Set<() => void>();
  #status = FIRST_STATUS;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #checksMoved = true;
  #seenClock = -1;
  #stream: AbortController | undefined;
  #isRunning = false;
  #unlisten: () => void = () => undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.view = new LocalView(parts.store);
  }

  get status(): SyncStatus {
    return this.#status;
  }

  /** Called after each change of the status, until the returned function is. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Shows what the phone has, then begins to talk to the desk. */
  async start(): Promise<void> {
    this.#isRunning = true;
    const { page, tabs } = this.#parts;
    this.#unlisten = page.listen((wish) => this.#onWish(wish));
    tabs.listen((news) => {
      void this.#onRows(news.rows, false);
      if (news.status) this.#set(news.status);
      if (news.wantsSync) this.sync();
    });
    await this.view.refresh("all");
    await this.#recount({});
    this.sync();
  }

  /** Ends everything; waits for the round under way. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#stream?.abort();
    await this.settled();
    await stopLeading(this.#parts.store, this.#parts.tab);
    this.#parts.tabs.close();
  }

  /** Stores an entry. When this resolves it is on the phone's disk, and on its way. */
  async add(draft: Draft): Promise<StoredOp> {
    const op = await addEntry(this.#parts.store, draft, this.#parts.now());
    await this.#onRows([[op.table_name, op.record_id]], true);
    await this.#recount({});
    this.sync();
    return op;
  }

  /** Asks for a round now. One that is under way is followed by another. */
  sync(): void {
    if (!this.#isRunning) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#round = this.#runRound().finally(() => {
      this.#round = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.sync();
    });
  }

  /** Waits until no round is under way. */
  async settled(): Promise<void> {
    // A round can be followed by one more that was asked for meanwhile.
    while (this.#round !== undefined) await this.#round;
  }

  /** Counts anew after something outside the rounds changed the store. */
  async refresh(): Promise<void> {
    await this.view.refresh("all");
    await this.#recount({});
  }

  async #runRound(): Promise<void> {
    const { store, tab, now } = this.#parts;
    try {
      if (!(await tryLead(store, tab, now()))) {
        this.#parts.tabs.tell({ rows: [], wantsSync: true });
        await this.#recount({});
        this.#plan(TICK_MS);
        return;
      }
      await durably(store, () => this.#talk());
      this.#failures = 0;
      await store.setFact("last_sent_ms", now());
      await this.#recount({ access: "ok", link: "near", sending: null, trouble: null });
      this.#plan(TICK_MS);
      this.#openStream();
    } catch (error) {
      await this.#onFailure(failureOf(error));
    }
    const { access, link, nextTryMs } = this.#status;
    this.#parts.tabs.tell({ rows: [], wantsSync: false, status: { access, link, nextTryMs } });
  }

  async #talk(): Promise<void> {
    const { store, api, now } = this.#parts;
    const session = await store.fact("session");
    if (session === undefined) return;
    const who = await askWho(api);
    if (who.installation_id !== session.installation_id) throw new Unreachable("other_installation");
    this.#set({ link: "near" });
    await enterEpoch(store, who.epoch);
    const onRows = (touched: readonly RowKey[] | "all") => this.#onRows(touched, true);
    if ((await store.fact("recover_from")) !== undefined) {
      await pullAll({ store, api, onRows });
      await giveBack(api, store);
    }
    await pushAll({
      store,
      api,
      now,
      onProgress: (done, total) => this.#set({ sending: { done, total } }),
      onSettled: onRows,
    });
    this.#set({ sending: null });
    const pulled = await pullAll({ store, api, onRows });
    this.#seenClock = pulled.clock;
    const moved = await askOpen(api, store, now());
    await this.#onRows(moved, true);
    await this.#lookAtChecks(pulled.disputesMoved || moved.length > 0);
    await forgetOld(store, now());
  }

  async #lookAtChecks(haveMoved: boolean): Promise<void> {
    if (!haveMoved && !this.#checksMoved) return;
    const { store, api } = this.#parts;
    await takeChecks(api, store);
    this.#checksMoved = false;
  }

  async #onFailure(failure: Failure): Promise<void> {
    this.#failures += 1;
    const wait = waitMs(this.#failures, failure.kind === "busy" ? failure.waitMs : null, this.#parts.random);
    const still = { sending: null };
    switch (failure.kind) {
      case "away":
        await this.#recount({ ...still, link: "away" });
        break;
      case "busy":
        await this.#recount({ ...still, link: "near" });
        break;
      case "signed_out":
      case "removed":
      case "too_old":
        await this.#recount({ ...still, link: "near", access: failure.kind, nextTryMs: null });
        // Only a person can help: a slow tick stays, because the desk may change its mind.
        this.#plan(TICK_MS);
        return;
      case "other_epoch":
        await enterEpoch(this.#parts.store, failure.epoch);
        this.#again = this.#failures < 3;
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
        this.#stream?.abort();
        this.#plan(RESUME_MS);
        return;
      case "focus":
        this.sync();
        return;
      case "hide":
        clearTimeout(this.#timer);
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
    void this.#parts.live(stream.signal, (event) => this.#onEvent(event)).then(onEnd, onEnd);
  }

  #onEvent(event: LiveEvent): void {
    if (event.type === "poke") {
      const clock =
        typeof event.data === "object" && event.data !== null && "clock" in event.data ? event.data.clock : 0;
      if (typeof clock !== "number" || clock > this.#seenClock) this.sync();
    } else if (event.type === "conflict") {
      this.#checksMoved = true;
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
