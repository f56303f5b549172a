// Takes the desk's changes, page by page. A page and the position after it are stored in one transaction.

import { answer, ApiProblem, type Api } from "@showdesk/api";
import * as v from "valibot";

import { SCHEMA } from "./envelope.ts";
import { OtherEpoch } from "./retry.ts";
import type { RowKey } from "./settle.ts";
import type { ServerRow, Store } from "./store.ts";
import { PullPage, type Change } from "./wire.ts";

const PAGE_LIMIT = 500;
/** More pages than this in one round means that something goes round in circles. */
const PAGES_MAX = 5_000;

/** What a pull round needs. */
export interface PullContext {
  readonly api: Api;
  readonly store: Store;
  /** Rows look different now; "all" after a fresh start. */
  readonly onRows: (touched: readonly RowKey[] | "all") => Promise<void>;
}

/** What a pull round found. */
export interface PullOutcome {
  /** The desk's newest change number. */
  readonly clock: number;
  /** A row in dispute, or no longer in dispute, was among the changes. */
  readonly disputesMoved: boolean;
}

/** A page, and what was known when it was asked for. */
interface AskedPage {
  readonly page: PullPage;
  /** The position it was asked from: a page is only stored if that is still the phone's position. */
  readonly from: string | null;
  /** Entries whose effect the desk had told before: a last page holds it. */
  readonly answered: readonly string[];
}

/** Where a stored page leaves the phone. */
interface Stored {
  readonly touched: readonly RowKey[] | "all";
  readonly disputesMoved: boolean;
}

/**
 * Pulls until the desk has no more. What is shown changes once, at the end: one change at the desk may stand
 * on two pages. Only a phone that has no show yet fills up as it goes.
 */
export async function pullAll(context: PullContext): Promise<PullOutcome> {
  const { store, onRows } = context;
  let disputesMoved = false;
  const touched: RowKey[] = [];
  try {
    for (let round = 0; round < PAGES_MAX; round += 1) {
      const isFirstSync = (await store.fact("complete")) !== true;
      const asked = await nextPage(context);
      if (asked === "start_anew") continue;
      const stored = await storePage(store, asked);
      disputesMoved ||= stored.disputesMoved;
      if (stored.touched === "all" || isFirstSync) await onRows(stored.touched);
      else touched.push(...stored.touched);
      if (!asked.page.has_more) return { clock: asked.page.clock, disputesMoved };
    }
  } finally {
    await onRows(touched);
  }
  throw new Error("the desk always has one more page");
}

/** From now on rows are collected aside, and swapped in when they are whole. */
export async function startReconcile(store: Store): Promise<void> {
  await store.transaction("rw", [store.incoming, store.facts], async () => {
    await store.incoming.clear();
    await store.setFact("reconcile", { cursor: null });
  });
}

async function nextPage({ api, store }: PullContext): Promise<AskedPage | "start_anew"> {
  const [from, answered] = await Promise.all([position(store), answeredOps(store)]);
  const query = { limit: PAGE_LIMIT, schema: SCHEMA, ...(from === null ? {} : { cursor: from }) };
  try {
    const page = v.parse(PullPage, answer(await api.GET("/api/v1/sync/pull", { params: { query } })));
    return { page, from, answered };
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 410 || from === null) throw error;
    await startReconcile(store);
    return "start_anew";
  }
}

async function position(store: Store): Promise<string | null> {
  const reconcile = await store.fact("reconcile");
  return reconcile ? reconcile.cursor : ((await store.fact("cursor")) ?? null);
}

async function answeredOps(store: Store): Promise<string[]> {
  const done = await store.opsIn("done");
  return done.filter((op) => !op.adopted).map((op) => op.op_id);
}

async function storePage(store: Store, { page, from, answered }: AskedPage): Promise<Stored> {
  const tables = [store.rows, store.incoming, store.ops, store.facts];
  return await store.transaction("rw", tables, async () => {
    // The first page of all carries no position that would tell the desk which epoch is meant.
    if (page.epoch !== (await store.fact("epoch"))) throw new OtherEpoch(page.epoch);
    // Another tab has been further: its page is stored, and this one would be older rows over newer ones.
    if (from !== (await position(store))) return { touched: [], disputesMoved: false };
    const isFresh = (await store.fact("reconcile")) !== undefined;
    const stored = isFresh ? await collect(store, page) : await storeChanges(store, page);
    if (page.has_more) return stored;
    const alsoTouched = await finish(store, answered);
    return stored.touched === "all" ? stored : { ...stored, touched: [...stored.touched, ...alsoTouched] };
  });
}

async function storeChanges(store: Store, page: PullPage): Promise<Stored> {
  const keys = page.changes.map((change): [string, string] => [change.table_name, change.record_id]);
  const before = await store.rows.bulkGet(keys);
  await applyTo(store, "rows", page.changes);
  await store.setFact("cursor", page.cursor);
  await store.setFact("rows_epoch", page.epoch);
  const isDisputed = (change: Change) => change.op === "upsert" && change.disputed.length > 0;
  const disputesMoved = page.changes.some((change, i) => isDisputed(change) || (before[i]?.disputed.length ?? 0) > 0);
  return { touched: keys, disputesMoved };
}

async function collect(store: Store, page: PullPage): Promise<Stored> {
  await applyTo(store, "incoming", page.changes);
  if (page.has_more) {
    await store.setFact("reconcile", { cursor: page.cursor });
    return { touched: [], disputesMoved: false };
  }
  await swapIn(store, page);
  return { touched: "all", disputesMoved: true };
}

async function applyTo(store: Store, name: "rows" | "incoming", changes: readonly Change[]): Promise<void> {
  const upserts: ServerRow[] = [];
  const gone: [string, string][] = [];
  for (const change of changes) {
    const { table_name: table, record_id: id, version, seq } = change;
    if (change.op === "upsert") {
      upserts.push({ table, id, version, seq, data: change.data, disputed: change.disputed, kept_from: null });
    } else {
      gone.push([table, id]);
    }
  }
  await store[name].bulkPut(upserts);
  await store[name].bulkDelete(gone);
}

/**
 * Makes the collected rows the phone's rows, lower versions included.
 * A row with entries that are not yet answered stays even if the desk no longer tells it.
 */
async function swapIn(store: Store, page: PullPage): Promise<void> {
  const rowsEpoch = (await store.fact("rows_epoch")) ?? page.epoch;
  const unanswered = await store.opsIn("waiting", "held");
  const keys = new Map(
    unanswered.map((op): [string, [string, string]] => [op.record_id, [op.table_name, op.record_id]]),
  );
  const own = (await store.rows.bulkGet([...keys.values()])).filter((row) => row !== undefined);
  await store.rows.clear();
  await store.rows.bulkPut(own.map((row) => ({ ...row, kept_from: row.kept_from ?? rowsEpoch })));
  await store.rows.bulkPut(await store.incoming.toArray());
  await store.incoming.clear();
  await store.setFact(
    "kept_rows",
    own.map((row) => [row.table, row.id] as const),
  );
  await store.setFact("cursor", page.cursor);
  await store.setFact("rows_epoch", page.epoch);
  await store.dropFact("reconcile");
}

/**
 * The feed has been read to its end: what was answered before is in the rows, or has no effect there any more.
 * Answers which rows look different for it.
 */
async function finish(store: Store, answered: readonly string[]): Promise<RowKey[]> {
  await store.setFact("complete", true);
  const touched = await letGo(store);
  // Of a desk that was restored it is not yet known whether it still knows them.
  if ((await store.fact("recover_from")) !== undefined) return touched;
  await store.ops
    .where("op_id")
    .anyOf(answered)
    .modify((op) => {
      if (op.state !== "done") return;
      touched.push([op.table_name, op.record_id]);
      Object.assign(op, { adopted: true });
    });
  return touched;
}

/** Drops rows that were only kept for entries which are answered by now. */
async function letGo(store: Store): Promise<RowKey[]> {
  const kept = await store.fact("kept_rows");
  if (kept === undefined) return [];
  const gone: RowKey[] = [];
  const still: RowKey[] = [];
  for (const [table, id] of kept) {
    const row = await store.rows.get([table, id]);
    if (row === undefined || row.kept_from === null) continue;
    const own = await store.opsOn(table, id);
    const isUnanswered = own.some((op) => op.state === "waiting" || op.state === "held");
    (isUnanswered ? still : gone).push([table, id]);
  }
  await store.rows.bulkDelete(gone.map(([table, id]): [string, string] => [table, id]));
  if (still.length > 0) await store.setFact("kept_rows", still);
  else await store.dropFact("kept_rows");
  return gone;
}
