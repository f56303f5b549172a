// Stores the desk's verdicts: an entry leaves the outbox in the same transaction that stores what became of it.

import { patched } from "./overlay.ts";
import { resendAtMs } from "./retry.ts";
import type { ServerRow, Store, StoredOp } from "./store.ts";
import type { OpResult } from "./wire.ts";

/** A row of the phone's store. */
export type RowKey = readonly [table: string, id: string];

/** When something is done, and the chance in it. */
export interface Moment {
  readonly nowMs: number;
  readonly random: () => number;
}

/** Acknowledged entries are kept this long, and the newest of them longer: a restored desk asks for them. */
export const ACKNOWLEDGED_KEEP_MS = 24 * 3_600_000;
export const ACKNOWLEDGED_KEEP_COUNT = 500;

/** Columns of every row that are not values of it. */
const NOT_DATA = new Set(["id", "version", "show_id", "deleted_at"]);

/** Stores verdicts of a push or of `/sync/ops/status`; answers which rows look different now. */
export function settle(store: Store, results: readonly OpResult[], moment: Moment): Promise<RowKey[]> {
  return store.transaction("rw", [store.ops, store.rows], async () => {
    const found = await store.ops.bulkGet(results.map((result) => result.op_id));
    const ops = new Map(found.filter((op) => op !== undefined).map((op) => [op.op_id, op]));
    const rows = await KnownRows.read(store, results, ops);
    const touched: RowKey[] = [];
    for (const result of results) {
      const op = ops.get(result.op_id);
      if (op === undefined) continue;
      ops.set(op.op_id, settled(op, result, rows, moment));
      for (const id of new Set([op.record_id, rowOf(op, result)])) touched.push([op.table_name, id]);
    }
    await store.ops.bulkPut([...ops.values()]);
    await rows.write(store);
    return touched;
  });
}

/** The rows that verdicts are about, read and written at once. */
class KnownRows {
  readonly #rows = new Map<string, ServerRow>();
  readonly #put = new Map<string, ServerRow>();
  readonly #gone = new Map<string, [string, string]>();

  static async read(
    store: Store,
    results: readonly OpResult[],
    ops: ReadonlyMap<string, StoredOp>,
  ): Promise<KnownRows> {
    const keys = results.flatMap((result): [string, string][] => {
      const op = ops.get(result.op_id);
      return op ? [...new Set([op.record_id, rowOf(op, result)])].map((id) => [op.table_name, id]) : [];
    });
    const known = new KnownRows();
    for (const row of await store.rows.bulkGet(keys)) {
      if (row) known.#rows.set(`${row.table}/${row.id}`, row);
    }
    return known;
  }

  get(table: string, id: string): ServerRow | undefined {
    return this.#rows.get(`${table}/${id}`);
  }

  set(row: ServerRow): void {
    const key = `${row.table}/${row.id}`;
    this.#rows.set(key, row);
    this.#put.set(key, row);
    this.#gone.delete(key);
  }

  delete(table: string, id: string): void {
    const key = `${table}/${id}`;
    this.#rows.delete(key);
    this.#put.delete(key);
    this.#gone.set(key, [table, id]);
  }

  async write(store: Store): Promise<void> {
    await store.rows.bulkPut([...this.#put.values()]);
    await store.rows.bulkDelete([...this.#gone.values()]);
  }
}

/** The entry as it stands after a verdict; adopts what the verdict tells of its row. */
function settled(op: StoredOp, result: OpResult, rows: KnownRows, { nowMs, random }: Moment): StoredOp {
  const known: StoredOp = {
    ...op,
    settled_at_ms: nowMs,
    attempts: 0,
    not_before_ms: 0,
    recovered_from: null,
    waiting_for: null,
  };
  switch (result.verdict) {
    case "applied":
    case "merged":
    case "noop": {
      const { version, decision } = result;
      const adopted = op.adopted || adopt(rows, op, result) === "elsewhere";
      return { ...known, state: "done", result_version: version, decision, fault: null, adopted };
    }
    case "conflict": {
      const { conflict_id, contested } = result;
      // A clash over a number answers with the row that holds it. The entry's own row comes by pull.
      if (result.kind !== "unique_violation") adoptRecord(rows, op, result);
      return { ...known, state: "conflict", conflict_id, contested, decision: null };
    }
    case "held": {
      const { conflict_id, waiting_for = null } = result;
      return { ...known, state: "held", conflict_id, waiting_for };
    }
    case "rejected":
      return { ...known, state: "rejected", fault: result.error };
    case "retry": {
      const attempts = op.attempts + 1;
      return { ...op, attempts, not_before_ms: resendAtMs(attempts, result.after_ms, { nowMs, random }) };
    }
    case "unknown":
      // The desk has never seen it: nothing was lost as long as it is sent (again).
      if (op.state === "done" || op.dismissed) return op;
      return { ...op, state: "waiting", not_before_ms: 0, conflict_id: null, waiting_for: null };
  }
}

type Settled = Extract<OpResult, { readonly verdict: "applied" | "merged" | "noop" }>;
type Conflict = Extract<OpResult, { readonly verdict: "conflict" }>;

/** Whose row a result tells of. Where the desk found that two rows are the same thing, it is the other one. */
function rowOf(op: StoredOp, result: OpResult): string {
  return ("record_id" in result ? result.record_id : null) ?? op.record_id;
}

/** Takes the desk's row if it was told, else the version that the entry alone has made. */
function adopt(rows: KnownRows, op: StoredOp, result: Settled): "here" | "elsewhere" {
  if (result.record !== null) {
    const isElsewhere = rowOf(op, result) !== op.record_id;
    // This phone's own id is gone; the thing goes on under the other.
    if (isElsewhere) rows.delete(op.table_name, op.record_id);
    adoptRecord(rows, op, result);
    return isElsewhere ? "elsewhere" : "here";
  }
  // An answer given again may be older than what the phone has pulled since: the row may be deleted by now.
  if (!result.replayed) adoptOwn(rows, op, result.version);
  return "here";
}

/** Makes the version that the entry has made, if nobody wrote in between. */
function adoptOwn(rows: KnownRows, op: StoredOp, version: number): void {
  const row = rows.get(op.table_name, op.record_id);
  // Anything but the next version means that others wrote too: the pull that follows brings the whole row.
  if (version !== (row?.version ?? 0) + 1) return;
  if (op.operation === "delete") {
    rows.delete(op.table_name, op.record_id);
    return;
  }
  if (row === undefined && op.operation !== "insert") return;
  rows.set({
    table: op.table_name,
    id: op.record_id,
    version,
    seq: row?.seq ?? 0,
    data: patched(row?.data ?? {}, op.data),
    disputed: row?.disputed ?? [],
    kept_from: null,
  });
}

/** Adopts a whole row unless the phone already has a newer one. */
function adoptRecord(rows: KnownRows, op: StoredOp, result: Settled | Conflict): void {
  const { record } = result;
  if (record === null) return;
  const id = rowOf(op, result);
  const inside = record["version"];
  const version = typeof inside === "number" ? inside : result.version;
  const row = rows.get(op.table_name, id);
  // An answer given again may tell of a row that the feed has taken from this phone: the pull knows.
  const isWanted = row === undefined ? !result.replayed : row.kept_from !== null || row.version < version;
  if (version === 0 || !isWanted) return;
  const data = Object.fromEntries(Object.entries(record).filter(([name]) => !NOT_DATA.has(name)));
  const { seq = 0, disputed = [] } = row ?? {};
  rows.set({ table: op.table_name, id, version, seq, data, disputed, kept_from: null });
}

/**
 * Forgets what nobody will ask for: acknowledged entries that are neither young nor among the newest,
 * and rejected ones whose author has read why.
 */
export async function forgetOld(store: Store, nowMs: number): Promise<void> {
  await store.transaction("rw", [store.ops], async () => {
    const over = (await store.opsIn("done", "rejected")).filter((op) => op.state === "done" || op.dismissed);
    const oldest = over.sort((a, b) => settledAt(a) - settledAt(b) || a.device_seq - b.device_seq);
    const old = oldest
      .slice(0, Math.max(0, oldest.length - ACKNOWLEDGED_KEEP_COUNT))
      .filter((op) => settledAt(op) < nowMs - ACKNOWLEDGED_KEEP_MS);
    if (old.length > 0) await store.ops.bulkDelete(old.map((op) => op.op_id));
  });
}

function settledAt(op: StoredOp): number {
  return op.settled_at_ms ?? 0;
}
