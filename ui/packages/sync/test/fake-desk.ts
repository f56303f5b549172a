// A desk in a few lines: enough of the protocol to test a phone against, with switches for everything that goes wrong.

import { createApi, type Api, type LiveEvent } from "@showdesk/api";

import { SyncEngine } from "../src/engine.ts";
import { Journal, type Shelf } from "../src/journal.ts";
import type { Wish } from "../src/page.ts";
import { Reach } from "../src/reach.ts";
import { askWho } from "../src/session.ts";
import { Store, type Fields } from "../src/store.ts";
import type { TabNews, Tabs } from "../src/tabs.ts";

interface DeskRow {
  readonly table: string;
  readonly id: string;
  version: number;
  seq: number;
  data: Fields;
  disputed?: string[];
  /** Not a row any more, but the news that it is none. */
  gone?: "delete" | "revoke";
}

export interface SentOp {
  readonly op_id: string;
  readonly device_seq: number;
  readonly txn: { readonly id: string; readonly size: number } | null;
  readonly table_name: string;
  readonly record_id: string;
  readonly operation: string;
  readonly base_version: number;
  readonly prev_op_id: string | null;
  readonly epoch: string | null;
  readonly data: Fields;
  readonly base?: Fields;
}

export interface SentPush {
  readonly epoch: string;
  readonly incarnation: string;
  readonly recovered_from: string | null;
  readonly pending: string | null;
  readonly ops: readonly SentOp[];
}

type Result = Record<string, unknown>;

interface Refusal {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

/** A message as the desk tells it. */
interface DeskNotice extends Record<string, unknown> {
  readonly id: string;
  readonly seq: number;
}

const A_NOTICE = {
  type: "message",
  title: "Lunch break at 12:00",
  body: "Both rings. Show starts again at 1:00.",
  priority: "normal",
  needs_ack: false,
  data: {},
  from: "Dan at the desk",
  created_at: "2023-11-14T22:10:00.000Z",
  sent_at: "2023-11-14T22:10:00.000Z",
  expires_at: null,
  retracted_at: null,
  reminded_at: null,
  state: "waiting",
};

export class FakeDesk {
  installation = "11111111-1111-4111-8111-111111111111";
  epoch = "e1";
  /** The name or number it answers at. */
  host = "desk.test";
  /** What it says about where it is. */
  addresses: string[] = [];
  /** Where it says it is with its certificate. */
  https: string[] = [];
  /** Whether phones trust its certificate. */
  isTrusted = true;
  serverTime = "2023-11-14T22:13:20.000Z";
  /** What it tells a phone that asks what it is; an older desk tells nothing. */
  me: Record<string, unknown> | null = null;
  token = "lsd_token";
  /** Tokens that came with requests. */
  tokens = new Set<string | null>();
  rows = new Map<string, DeskRow>();
  results = new Map<string, Result>();
  pushes: SentPush[] = [];
  authorized: string[] = [];
  checks: unknown[] = [];
  clock = 0;
  pageSize = 500;
  /** Refuses connections. */
  isDown = false;
  /** Answers everything with somebody else's page. */
  isPortal = false;
  /** Does the work of the next push, then loses the answer. */
  losesNextAnswer = false;
  /** Answers calls that carry a token with this status. */
  refusal: Refusal | null = null;
  /** Refuses whole pushes because of what is in them. */
  refusePush: (ops: readonly SentOp[]) => Refusal | null = () => null;
  /** Called before a page of changes is answered. */
  onPull: () => void | Promise<void> = () => undefined;
  /** The position of every cursor is forgotten. */
  cursorsGone = false;
  opsMax = 500;
  /** The code that phones may claim. */
  code = "c0de";
  claims: { code: string; device_name: string; previous_token?: string }[] = [];
  /** How the claim stands. */
  pairing: Record<string, unknown> = { status: "waiting" };
  /** What was told to the person of every phone, by id. */
  notices = new Map<string, DeskNotice>();
  /** What was over before it could be told. */
  missed: Record<string, unknown>[] = [];
  noticeSeq = 0;
  noticePage = 100;
  /** Whether it has messages at all: an older desk has none. */
  hasNotices = true;
  acks: { readonly ids: readonly string[]; readonly state: string }[] = [];
  /** What phones told of themselves. */
  told: { readonly type: string; readonly data: readonly Record<string, unknown>[] }[] = [];
  /** Called when a stream was asked for and nobody hears yet. */
  beforeListening: () => void = () => undefined;
  /** Streams that hear messages. */
  readonly hearers = new Set<(event: LiveEvent) => void>();
  /** Decides an op instead of applying it. */
  verdict: (op: SentOp) => Result | null = () => null;

  put(table: string, id: string, data: Fields, disputed: string[] = []): void {
    const version = (this.rows.get(`${table}/${id}`)?.version ?? 0) + 1;
    this.clock += 1;
    this.rows.set(`${table}/${id}`, { table, id, version, seq: this.clock, data, disputed });
  }

  /** Tells a message, or tells it again: taken back, reminded of, confirmed elsewhere. */
  tell(id: string, change: Record<string, unknown> = {}): DeskNotice {
    this.noticeSeq += 1;
    const before = this.notices.get(id) ?? { ...A_NOTICE, id, seq: 0 };
    const notice = { ...before, ...change, seq: this.noticeSeq };
    this.notices.set(id, notice);
    for (const hear of this.hearers) hear({ type: "notification", id: String(notice.seq), data: notice });
    return notice;
  }

  /** Opens a stream of messages after this one: after the first poke comes what was told since. */
  listen(lastEventId: string | null, hear: (event: LiveEvent) => void): () => void {
    this.beforeListening();
    hear({ type: "poke", id: null, data: { clock: this.clock } });
    const after = lastEventId === null ? this.noticeSeq : Number(lastEventId);
    for (const notice of this.#noticesAfter(after)) {
      hear({ type: "notification", id: String(notice.seq), data: notice });
    }
    this.hearers.add(hear);
    return () => this.hearers.delete(hear);
  }

  /** The row is gone without a trace, as after a restore. */
  remove(table: string, id: string): void {
    this.rows.delete(`${table}/${id}`);
  }

  /** The row is gone, and pulls say so. */
  bury(table: string, id: string, gone: "delete" | "revoke"): void {
    this.put(table, id, {});
    const row = this.rows.get(`${table}/${id}`);
    if (row) row.gone = gone;
  }

  readonly send = (request: Request): Promise<Response> => this.decide(request);

  /** Answers one request; tests put themselves in between. */
  decide = async (request: Request): Promise<Response> => {
    if (this.isDown) throw new TypeError("connection refused");
    if (this.isPortal) return new Response("<html>Sign in</html>", { headers: { "content-type": "text/html" } });
    const url = new URL(request.url);
    if (url.hostname !== this.host) throw new TypeError("no route to host");
    if (url.protocol === "https:" && !this.isTrusted) throw new TypeError("certificate unknown");
    const bearer = request.headers.get("authorization");
    const path = url.pathname.replace("/api/v1", "");
    if (path === "/ping") return json(200, this.#ping());
    if (path === "/pairing/claim") return this.#claim(request);
    if (path.startsWith("/pairing/")) return json(200, this.pairing);
    this.authorized.push(path);
    this.tokens.add(bearer);
    if (this.refusal) return problem(this.refusal.status, this.refusal.body, this.refusal.headers);
    if (path === "/sync/push") return this.#push(request);
    if (path === "/sync/pull") {
      await this.onPull();
      return this.#pull(url);
    }
    if (path === "/me" && this.me) return json(200, this.me);
    if (path === "/me/token") return json(200, { token: this.token, expires_at: "" });
    if (path.endsWith("/withdraw")) return this.#withdraw(path.split("/")[3] ?? "");
    if (path === "/sync/ops/status") return this.#status(request);
    if (path.endsWith("/answer")) return this.#answer(path.split("/")[3] ?? "", request);
    if (path === "/me/notifications" && this.hasNotices) return this.#notices(url);
    if (path === "/me/notifications/ack" && this.hasNotices) return this.#ack(request);
    if (path === "/telemetry") {
      this.told.push((await request.json()) as (typeof this.told)[number]);
      return json(202, {});
    }
    if (path === "/me/conflicts") return json(200, { items: this.checks });
    return problem(404, { code: "not_found" });
  };

  #ping() {
    const { installation: installation_id, epoch, addresses, https, serverTime: server_time } = this;
    return { installation_id, name: "Prairie Fork Fair", version: "0.1.0", epoch, server_time, addresses, https };
  }

  async #claim(request: Request): Promise<Response> {
    const claim = (await request.json()) as { code: string; device_name: string };
    if (claim.code !== this.code) return problem(410, { code: "code_used" });
    this.claims.push(claim);
    return json(201, {
      pairing_id: "33333333-3333-4333-8333-333333333333",
      check_number: "4821",
      functions: ["scale", "checkin"],
    });
  }

  async #push(request: Request): Promise<Response> {
    const body = (await request.json()) as SentPush;
    if (body.epoch !== this.epoch) return problem(409, { code: "epoch_mismatch", epoch: this.epoch });
    if (body.ops.length > this.opsMax) return problem(413, { code: "too_large" });
    const refusal = this.refusePush(body.ops);
    if (refusal) return problem(refusal.status, refusal.body, refusal.headers);
    this.pushes.push({ ...body, pending: request.headers.get("x-client-pending") });
    const results = body.ops.map((op) => this.#decide(op));
    if (this.losesNextAnswer) {
      this.losesNextAnswer = false;
      throw new TypeError("connection reset");
    }
    return json(200, { epoch: this.epoch, server_time: "", clock: this.clock, results });
  }

  #decide(op: SentOp): Result {
    const known = this.results.get(op.op_id);
    if (known) return { ...known, replayed: true };
    const result = this.verdict(op) ?? this.#apply(op);
    if (result["verdict"] !== "retry") this.results.set(op.op_id, result);
    return result;
  }

  #known(op_id: string): Result {
    const known = this.results.get(op_id);
    return known ? { ...known, replayed: true } : { op_id, verdict: "unknown" };
  }

  #apply(op: SentOp): Result {
    const before = this.rows.get(`${op.table_name}/${op.record_id}`);
    this.put(op.table_name, op.record_id, { ...before?.data, ...op.data });
    return { op_id: op.op_id, verdict: "applied", version: (before?.version ?? 0) + 1, seq: this.clock };
  }

  #pull(url: URL): Response {
    const cursor = url.searchParams.get("cursor");
    if (cursor !== null && this.cursorsGone) {
      this.cursorsGone = false;
      return problem(410, { code: "cursor_gone", mode: "reconcile" });
    }
    const [epoch, after] = cursor === null ? [this.epoch, 0] : [cursor.split("@")[0], Number(cursor.split("@")[1])];
    if (epoch !== this.epoch) return problem(409, { code: "epoch_mismatch", epoch: this.epoch });
    const later = [...this.rows.values()].filter((row) => row.seq > after).sort((a, b) => a.seq - b.seq);
    const page = later.slice(0, this.pageSize);
    const changes = page.map(({ table, id, seq, version, data, disputed, gone }) => {
      const change = { seq, table_name: table, record_id: id, version };
      return gone ? { ...change, op: gone } : { ...change, op: "upsert", data, disputed };
    });
    const end = page.at(-1)?.seq ?? after;
    const has_more = later.length > page.length;
    return json(200, { epoch: this.epoch, changes, cursor: `${this.epoch}@${end}`, has_more, clock: this.clock });
  }

  #withdraw(id: string): Response {
    this.checks = this.checks.map((check) => {
      return (check as { id: string }).id === id ? { ...(check as object), status: "withdrawn" } : check;
    });
    for (const [op_id, result] of this.results) {
      const decision = { conflict_id: id, resolution: "withdrawn" };
      if (result["conflict_id"] === id) this.results.set(op_id, { op_id, verdict: "noop", version: 1, decision });
    }
    return json(200, {});
  }

  async #answer(id: string, request: Request): Promise<Response> {
    const { question, text } = (await request.json()) as { question: string; text: string };
    const isMoved = this.checks.some((check) => {
      const known = check as { id: string; asked?: { id: string } };
      return known.id === id && known.asked?.id !== question;
    });
    if (isMoved) return problem(409, { code: "question_moved" });
    const answer = { at: "2026-11-22T09:32:00.000Z", text };
    this.checks = this.checks.map((check) => {
      const known = check as { id: string; asked?: object };
      return known.id === id ? { ...known, asked: { ...known.asked, answer } } : check;
    });
    return json(200, {});
  }

  #noticesAfter(after: number): DeskNotice[] {
    return [...this.notices.values()].filter(({ seq }) => seq > after).sort((a, b) => a.seq - b.seq);
  }

  #notices(url: URL): Response {
    const after = Number(url.searchParams.get("after"));
    const later = this.#noticesAfter(after);
    const items = later.slice(0, this.noticePage);
    const more = later.length > items.length;
    return json(200, { items, missed: this.missed, latest: this.noticeSeq, more });
  }

  async #ack(request: Request): Promise<Response> {
    const ack = (await request.json()) as { ids: string[]; state: string };
    this.acks.push(ack);
    return json(200, { updated: ack.ids.length });
  }

  async #status(request: Request): Promise<Response> {
    const { op_ids } = (await request.json()) as { op_ids: string[] };
    return json(200, { results: op_ids.map((op_id) => this.#known(op_id)) });
  }
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

function problem(status: number, body: Record<string, unknown>, headers: Record<string, string> = {}): Response {
  const type = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } });
}

/** A phone that has joined the desk, with the events of its page in the test's hand. */
export class TestPhone {
  readonly store: Store;
  readonly engine: SyncEngine;
  readonly api: Api;
  readonly news: unknown[] = [];
  wish: (wish: Wish) => void = () => undefined;
  live: ((event: LiveEvent) => void) | null = null;
  /** Ends the stream as a lost connection does. */
  dropStream: () => void = () => undefined;
  nowMs = 1_700_000_000_000;
  token = "lsd_token";

  readonly shelf: MemoryShelf;

  constructor(
    desk: FakeDesk,
    store: Store,
    tab: string = "tab-1",
    tabs: Tabs = new NoTabs(this.news),
    shelf: MemoryShelf = new MemoryShelf(),
    home: string = "http://desk.test",
  ) {
    this.store = store;
    this.shelf = shelf;
    const reach = new Reach({
      home,
      ask: (address) => askWho(createApi(address, { send: desk.send })),
      now: () => this.nowMs,
    });
    this.api = createApi(() => reach.address, { token: () => this.token, send: desk.send });
    this.engine = new SyncEngine({
      store,
      reach,
      api: this.api,
      page: {
        isVisible: () => true,
        listen: (onWish) => {
          this.wish = onWish;
          return () => undefined;
        },
      },
      tabs,
      journal: new Journal(shelf),
      tab,
      now: () => this.nowMs,
      random: () => 1,
      live: (signal, onEvent, lastEventId) => {
        this.live = onEvent;
        const close = desk.listen(lastEventId, onEvent);
        return new Promise((resolve) => {
          const end = () => {
            close();
            this.dropStream = () => undefined;
            resolve();
          };
          this.dropStream = end;
          signal.addEventListener("abort", end);
        });
      },
    });
  }

  /** Asks for a round and waits for its end. */
  async round(): Promise<void> {
    this.engine.sync();
    await this.engine.settled();
  }
}

/** A tab that is alone. */
class NoTabs implements Tabs {
  readonly hears = false;

  constructor(readonly told: unknown[]) {}

  tell(news: TabNews): void {
    this.told.push(news);
  }

  listen(): void {
    // Nobody speaks.
  }

  close(): void {
    // Nothing is open.
  }
}

/** The small storage of one phone. */
export class MemoryShelf implements Shelf {
  readonly texts = new Map<string, string>();

  read(key: string): string | null {
    return this.texts.get(key) ?? null;
  }

  write(key: string, text: string): void {
    this.texts.set(key, text);
  }
}

let stores = 0;

/** A store of its own, of a phone that has not joined. */
export function emptyStore(): Store {
  stores += 1;
  return new Store(`test-${stores}`);
}

/** A store of its own, of a phone that has joined the desk. */
export async function newStore(desk: FakeDesk, functions: readonly string[] = ["scale", "checkin"]): Promise<Store> {
  return await joined(emptyStore(), desk, functions, "device-1");
}

/** A phone joins whose database was lost: by the token it had, or as a new device. */
export async function joinAgain(store: Store, desk: FakeDesk, deviceId: string): Promise<Store> {
  return await joined(store, desk, ["scale", "checkin"], deviceId);
}

async function joined(store: Store, desk: FakeDesk, functions: readonly string[], deviceId: string): Promise<Store> {
  await store.setFact("epoch", desk.epoch);
  await store.setFact("session", {
    installation_id: desk.installation,
    show_name: "Prairie Fork Fair",
    token: "lsd_token",
    token_at_ms: 1_700_000_000_000,
    device_id: deviceId,
    person: { id: "maria", name: "Maria Lopez" },
    functions,
  });
  return store;
}
