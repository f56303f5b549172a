// Takes the desk's changes, page by page. A page and the position after it are stored in one transaction.

import { answer, ApiProblem, type Api } from "@showdesk/api";
import * as v from "valibot";

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

/** Pulls until the desk has no more. */
export async function pullAll(context: PullContext): Promise<PullOutcome> {
  let disputesMoved = false;
  for (let round = 0; round < PAGES_MAX; round += 1) {
    const page = await nextPage(context);
    if (page === "start_anew") continue;
    disputesMoved = (await storePage(context, page)) || disputesMoved;
    if (!page.has_more) return { clock: page.clock, disputesMoved };
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

async function nextPage({ api, store }: PullContext): Promise<PullPage | "start_anew"> {
  const reconcile = await store.fact("reconcile");
  const cursor = reconcile ? reconcile.cursor : await store.fact("cursor");
  const query = { limit: PAGE_LIMIT, ...(cursor ? { cursor } : {}) };
  try {
    return v.parse(PullPage, answer(await api.GET("/api/v1/sync/pull", { params: { query } })));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 410 || !cursor) throw error;
    await startReconcile(store);
    return "start_anew";
  }
}

async function storePage(context: PullContext, page: PullPage): Promise<boolean> {
  const { store } = context;
  const tables = [store.rows, store.incoming, store.ops, store.facts];
  const outcome = await store.transaction("rw", tables, async () => {
    const reconcile = await store.fact("reconcile");
    if (reconcile === undefined) return await storeChanges(store, page);
    await applyTo(store, "incoming", page.changes);
    if (page.has_more) {
      await store.setFact("reconcile", { cursor: page.cursor });
      return { touched: [], disputesMoved: false };
    }
    await swapIn(store, page.cursor);
    return { touched: "all" as const, disputesMoved: true };
  });
  await context.onRows(outcome.touched);
  return outcome.disputesMoved;
}

async function storeChanges(store: Store, page: PullPage): Promise<{ touched: RowKey[]; disputesMoved: boolean }> {
  const keys = page.changes.map((change): [string, string] => [change.table_name, change.record_id]);
  const before = await store.rows.bulkGet(keys);
  await applyTo(store, "rows", page.changes);
  await store.setFact("cursor", page.cursor);
  if (!page.has_more) await store.setFact("complete", true);
  const isDisputed = (change: Change) => change.op === "upsert" && change.disputed.length > 0;
  const disputesMoved = page.changes.some((change, i) => isDisputed(change) || (before[i]?.disputed.length ?? 0) > 0);
  return { touched: keys, disputesMoved };
}

async function applyTo(store: Store, name: "rows" | "incoming", changes: readonly Change[]): Promise<void> {
  const upserts: ServerRow[] = [];
  const gone: [string, string][] = [];
  for (const change of changes) {
    const { table_name: table, record_id: id, version, seq } = change;
    if (change.op === "upsert") {
      upserts.push({ table, id, version, seq, data: change.data, disputed: change.disputed });
    } else {
      gone.push([table, id]);
    }
  }
  await store[name].bulkPut(upserts);
  await store[name].bulkDelete(gone);
}

/** Makes the collected rows the phone's rows. A row with entries that are not yet answered stays even if the desk no longer tells it. */
async function swapIn(store: Store, cursor: string): Promise<void> {
  const unanswered = await store.ops.where("state").anyOf("waiting", "held").toArray();
  const keys = unanswered.map((op): [string, string] => [op.table_name, op.record_id]);
  const kept = (await store.rows.bulkGet(keys)).filter((row) => row !== undefined);
  await store.rows.clear();
  await store.rows.bulkPut(kept);
  await store.rows.bulkPut(await store.incoming.toArray());
  await store.incoming.clear();
  await store.setFact("cursor", cursor);
  await store.setFact("complete", true);
  await store.dropFact("reconcile");
}
