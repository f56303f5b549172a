// The phone as the screens see it: session, show, sync status. It joins reactive views to the sync package and decides nothing.

import { ApiProblem, createApi, readLive, Unreachable, type Api, type Send } from "@showdesk/api";
import { browserPreferences, capabilities, levelOf } from "@showdesk/platform";
import {
  askTrust,
  askWho,
  browserPage,
  browserTabs,
  Journal,
  leaveShow,
  newId,
  OtherEpoch,
  Reach,
  Store,
  SyncEngine,
  tidings,
  type Draft,
  type Joining,
  type MovedOn,
  type Ping,
  type Session,
  type Shelf,
  type StoredCheck,
  type StoredOp,
  type SyncStatus,
  type Trust,
} from "@showdesk/sync";
import { createContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";

import { Messages } from "./features/messages/messages.svelte.ts";
import { failed, took } from "./parts/noticing.ts";
import { BookReader, type Book } from "./show/book.ts";
import type { Who } from "./show/permit.ts";

/** What a phone is made of; a page needs none of it, tests bring their own. */
export interface PhoneParts {
  readonly baseUrl?: string;
  readonly store?: Store;
  readonly send?: Send;
  /** Small storage beside the store's. */
  readonly shelf?: Shelf;
}

const NOBODY: Who = { functions: [] };
/** Longest wait for a desk's name; several addresses are asked in turn. */
const PING_TIMEOUT_MS = 4_000;

/** The phone of this page. */
export class Phone {
  readonly store: Store;
  readonly api: Api;
  readonly engine: SyncEngine;
  /** What the desk has told. */
  readonly messages: Messages;
  session = $state.raw<Session>();
  joining = $state.raw<Joining>();
  /** Where this phone goes on, once its pass was carried to another page. */
  movedOn = $state.raw<MovedOn>();
  /** How the fingerprint of the show's certificate begins, as the scanned code said. */
  fingerprint = $state.raw<string>();
  isLoaded = $state(false);
  /** The browser lets this page keep nothing: no entry would be safe. */
  hasNoStorage = $state(false);
  /** Entries of this phone, newest first. */
  ops = $state.raw<readonly StoredOp[]>([]);
  checks = $state.raw<readonly StoredCheck[]>([]);
  /** Where this page came from. */
  readonly home: string;
  /** Loads the newest page that can be had; on a page that its worker keeps that is more than a reload. */
  reloadPage: () => void = () => location.reload();
  readonly #ask: (address: string) => Promise<Ping>;
  readonly #network: { readonly send?: Send };
  readonly #reader = new BookReader();
  readonly #onStatus: () => void;
  readonly #onView: () => void;
  #book: Book | undefined;
  #ownMoved = false;
  /** The part of the status that entries and checks make, as it was when they were last read. */
  #told = "";
  #isReading = false;

  constructor({ baseUrl = location.origin, store = new Store(), send, shelf }: PhoneParts = {}) {
    const token = () => this.session?.token ?? null;
    this.#network = send ? { send } : {};
    let tookMs: number | null = null;
    const transport = {
      token,
      headers: () => tidings(this.engine.status, { level: levelOf(capabilities()), tookMs, nowMs: Date.now() }),
      ...this.#network,
    };
    this.home = baseUrl;
    this.#ask = (address) => askWho(createApi(address, { timeoutMs: PING_TIMEOUT_MS, ...this.#network }));
    const reach = new Reach({ home: baseUrl, ask: this.#ask, now: Date.now });
    this.store = store;
    this.api = createApi(() => reach.address, { ...transport, onTook: (ms) => (tookMs = ms) });
    this.engine = new SyncEngine({
      store: this.store,
      api: this.api,
      reach,
      page: browserPage(),
      tabs: browserTabs("showdesk"),
      journal: new Journal(shelf ?? browserPreferences()),
      tab: newId(),
      now: Date.now,
      random: Math.random,
      live: (signal, onEvent, lastEventId) => readLive(reach.address, { ...transport, signal, onEvent, lastEventId }),
      onTalked: noticeTalk,
    });
    this.messages = new Messages(this.engine.inbox);
    this.#onStatus = createSubscriber((update) => this.engine.subscribe(update));
    this.#onView = createSubscriber((update) => this.engine.view.subscribe(update));
    this.engine.view.subscribe(() => {
      this.#book = undefined;
      this.#readOwnSoon();
    });
    this.engine.subscribe(() => {
      // Most news of the status are about the network. A day's entries are not read again for each of them.
      const { waiting, checking, lastSentMs, access } = this.engine.status;
      const told = [waiting, checking, lastSentMs, access].join();
      if (told === this.#told) return;
      this.#told = told;
      this.#readOwnSoon();
    });
  }

  /** How the phone and the desk stand. */
  get status(): SyncStatus {
    this.#onStatus();
    return this.engine.status;
  }

  /** The show with this phone's own entries in it. */
  get book(): Book {
    this.#onView();
    this.#book ??= this.#reader.read(this.engine.view);
    return this.#book;
  }

  /** Whose rights the screens go by. */
  get who(): Who {
    return this.session ?? NOBODY;
  }

  /** Opens what the phone remembers; begins to sync if it belongs to a show. */
  async open(): Promise<void> {
    const { store } = this;
    try {
      [this.session, this.joining, this.movedOn, this.fingerprint] = await Promise.all([
        store.fact("session"),
        store.fact("joining"),
        store.fact("moved_on"),
        store.fact("fingerprint"),
      ]);
      if (this.session) await this.engine.start();
    } catch {
      this.hasNoStorage = true;
    }
    this.isLoaded = true;
  }

  /** The desk has allowed this phone. */
  async joined(): Promise<void> {
    const isFirst = this.session === undefined;
    const { store } = this;
    [this.session, this.fingerprint] = [await store.fact("session"), await store.fact("fingerprint")];
    [this.joining, this.movedOn] = [undefined, undefined];
    if (isFirst) {
      await this.engine.start();
    } else {
      // It may be another show than before.
      await this.refresh();
      this.engine.sync();
    }
  }

  /** Whether this phone trusts the show's certificate, so that it can go on at a page with one. */
  askTrust(installationId: string): Promise<Trust> {
    return askTrust(this.#ask, this.home, installationId, Date.now);
  }

  /** Who is at this address, asked without the token. */
  whoIsAt(address: string): Promise<Ping> {
    return this.#ask(address);
  }

  /** The API as whoever came here with this pass. */
  apiWith(pass: string): Api {
    return createApi(this.home, { token: () => pass, ...this.#network });
  }

  /** Leaves the show; fails while an entry of it is only here. */
  async leave(): Promise<void> {
    await this.engine.rest();
    try {
      await leaveShow(this.store);
    } catch (error) {
      await this.engine.start();
      throw error;
    }
    this.session = undefined;
    await this.refresh();
  }

  /** Stores an entry; when this resolves it is safe on this phone. */
  add(draft: Draft): Promise<StoredOp> {
    return this.engine.add(draft);
  }

  /** Stores entries that the desk takes all or none of; gives the first. */
  async addTogether(drafts: readonly [Draft, ...Draft[]]): Promise<StoredOp> {
    if (drafts.length === 1) return await this.add(drafts[0]);
    const [first] = await this.engine.addTogether(drafts);
    if (first === undefined) throw new Error("nothing was stored");
    return first;
  }

  /** A store that cannot be read now, such as one whose connection the phone has closed, is read at the next news. */
  #readOwnSoon(): void {
    this.#readOwn().catch(() => undefined);
  }

  /** Reads the phone's own entries and checks again: one reading at a time, the last one after the last change. */
  async #readOwn(): Promise<void> {
    this.#ownMoved = true;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#ownMoved) {
        this.#ownMoved = false;
        const newestFirst = this.store.ops.orderBy("device_seq").reverse();
        const [ops, checks, session, movedOn, fingerprint] = await Promise.all([
          newestFirst.toArray(),
          this.store.checks.toArray(),
          this.store.fact("session"),
          this.store.fact("moved_on"),
          this.store.fact("fingerprint"),
        ]);
        [this.ops, this.checks] = [ops, checks];
        // The token is renewed and the rights change from time to time, perhaps told to another tab.
        if (session !== undefined && JSON.stringify(session) !== JSON.stringify(this.session)) this.session = session;
        [this.movedOn, this.fingerprint] = [movedOn, fingerprint];
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** After something outside the sync rounds changed entries or checks. */
  async refresh(): Promise<void> {
    await this.engine.refresh();
    await this.#readOwn();
  }
}

/** A laptop that is away is no fault, and says nothing of how fast it is; what it refused, it knows of. */
function noticeTalk(tookMs: number, error: unknown): void {
  if (error instanceof Unreachable) return;
  const refusal = error instanceof ApiProblem ? error.status : undefined;
  took("sync", performance.now() - tookMs, refusal ?? (error === null ? 200 : 500));
  if (error !== null && refusal === undefined && !(error instanceof OtherEpoch)) failed(error);
}

/** The phone of the page that a component belongs to. */
export const [usePhone, providePhone] = createContext<Phone>();
