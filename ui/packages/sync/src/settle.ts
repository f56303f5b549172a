// Stores the desk's verdicts: an entry leaves the outbox in the same transaction that stores what became of it.

import { patched } from "./overlay.ts";
import type { Fields, ServerRow, Store, StoredOp } from "./store.ts";
import type { OpResult } from "./wire.ts";

/** A row of the phone's store. */
export type RowKey = readonly [table: string, id: string];

/** Acknowledged entries are kept this long, and the newest of them longer: a restored desk asks for them. */
export const ACKNOWLEDGED_KEEP_MS = 24 * 3_600_000;
export const ACKNOWLEDGED_KEEP_COUNT = 500;

/** Columns of every row that are not values of it. */
const NOT_DATA = new Set(["id", "version", "show_id", "deleted_at"]);

/** Stores verdicts of a push or of `/sync/ops/status`; answers which rows look different now. */
export function settle(store: Store, results: readonly OpResult[], nowMs: number): Promise<RowKey[]> {
  return store.transaction("rw", [store.ops, store.rows, store.facts], async () => {
    const touched: RowKey[] = [];
    for (const result of results) {
      const op = await store.ops.get(result.op_id);
      if (op === undefined) continue;
      await settleOne(store, op, result, nowMs);
      touched.push([op.table_name, op.record_id]);
    }
    return touched;
  });
}

async function settleOne(store: Store, op: StoredOp, result: OpResult, nowMs: number): Promise<void> {
  const settled = { settled_at_ms: nowMs, attempts: 0, not_before_ms: 0 };
  switch (result.verdict) {
    case "applied":
    case "merged":
    case "noop": {
      const { version, decision } = result;
      await store.ops.put({ ...op, ...settled, state: "done", result_version: version, decision, fault: null });
      await adopt(store, op, result);
      return;
    }
    case "conflict": {
      const { conflict_id, contested } = result;
      await store.ops.put({ ...op, ...settled, state: "conflict", conflict_id, contested, decision: null });
      await adoptRecord(store, op, result.version, result.record);
      return;
    }
    case "held":
      await store.ops.put({ ...op, ...settled, state: "held", conflict_id: result.conflict_id });
      return;
    case "rejected":
      await store.ops.put({ ...op, ...settled, state: "rejected", fault: result.error });
      return;
    case "retry":
      await store.ops.put({ ...op, attempts: op.attempts + 1, not_before_ms: nowMs + result.after_ms });
      return;
    case "unknown":
      // The desk has never seen it: nothing was lost as long as it is sent (again).
      if (op.state !== "done") await store.ops.put({ ...op, state: "waiting", not_before_ms: 0 });
      return;
  }
}

/** Takes the desk's row if it was told, else the version that the entry alone has made. */
async function adopt(
  store: Store,
  op: StoredOp,
  result: { readonly version: number; readonly record: Fields | null },
): Promise<void> {
  if (result.record !== null) {
    await adoptRecord(store, op, result.version, result.record);
    return;
  }
  const row = await store.rows.get([op.table_name, op.record_id]);
  const isNext = result.version === (row?.version ?? 0) + 1;
  // Anything else means that others wrote too: the pull that follows brings the whole row.
  if (!isNext) return;
  if (op.operation === "delete") {
    await store.rows.delete([op.table_name, op.record_id]);
    return;
  }
  if (row === undefined && op.operation !== "insert") return;
  await store.rows.put({
    table: op.table_name,
    id: op.record_id,
    version: result.version,
    seq: row?.seq ?? 0,
    data: patched(row?.data ?? {}, op.data),
    disputed: row?.disputed ?? [],
  });
}

/** Adopts a whole row unless the phone already has a newer one. The desk may put the version inside the row. */
async function adoptRecord(store: Store, op: StoredOp, version: number, record: Fields | null): Promise<void> {
  if (record === null) return;
  const inside = record["version"];
  const told = typeof inside === "number" ? inside : version;
  const row = await store.rows.get([op.table_name, op.record_id]);
  if (told === 0 || (row !== undefined && row.version >= told)) return;
  // A clash over a number answers with the row that holds it: that one comes by pull.
  if (typeof record["id"] === "string" && record["id"] !== op.record_id) return;
  const data = Object.fromEntries(Object.entries(record).filter(([name]) => !NOT_DATA.has(name)));
  const adopted: ServerRow = {
    table: op.table_name,
    id: op.record_id,
    version: told,
    seq: row?.seq ?? 0,
    data,
    disputed: row?.disputed ?? [],
  };
  await store.rows.put(adopted);
}

/** Forgets acknowledged entries that are neither young nor among the newest. */
export async function forgetOld(store: Store, nowMs: number): Promise<void> {
  await store.transaction("rw", [store.ops, store.rows], async () => {
    const done = await store.ops.where("state").equals("done").sortBy("device_seq");
    const old = done
      .slice(0, Math.max(0, done.length - ACKNOWLEDGED_KEEP_COUNT))
      .filter((op) => (op.settled_at_ms ?? 0) < nowMs - ACKNOWLEDGED_KEEP_MS);
    await store.ops.bulkDelete(old.map((op) => op.op_id));
  });
}
