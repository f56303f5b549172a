// Adds entries. When `addEntry` resolves, the entry is on the phone's disk; only then may success be shown.

import type { TableName } from "@showdesk/api";

import { durably } from "./durable.ts";
import { newId } from "./ids.ts";
import { isAdopted, overlay } from "./overlay.ts";
import type { Fields, ServerRow, Store, StoredOp } from "./store.ts";

/** A change as a screen makes it. */
export interface Draft {
  readonly table: TableName;
  readonly id: string;
  readonly operation: "insert" | "update";
  readonly data: Fields;
  /** Required by some rules, kept in history. */
  readonly reason?: string;
}

/** The row that is to be changed is not on this phone (any more). */
export class RowMissing extends Error {
  override readonly name = "RowMissing";
}

/** Stores one entry with the view its author had: the adopted version, the values seen, the entry before it. */
export function addEntry(store: Store, draft: Draft, nowMs: number): Promise<StoredOp> {
  return durably(store, () =>
    store.transaction("rw", [store.rows, store.ops, store.facts], () => addInTransaction(store, draft, nowMs)),
  );
}

async function addInTransaction(store: Store, draft: Draft, nowMs: number): Promise<StoredOp> {
  const row = await store.rows.get([draft.table, draft.id]);
  const own = await store.ops.where("[table_name+record_id]").equals([draft.table, draft.id]).toArray();
  const deviceSeq = ((await store.fact("device_seq")) ?? 0) + 1;
  const isInsert = draft.operation === "insert";
  const op: StoredOp = {
    op_id: newId(nowMs),
    device_seq: deviceSeq,
    table_name: draft.table,
    record_id: draft.id,
    operation: draft.operation,
    base_version: isInsert ? 0 : baseVersion(row, own),
    prev_op_id: latestUnadopted(own, row)?.op_id ?? null,
    data: draft.data,
    base: isInsert ? null : seenValues(row, own, draft),
    reason: draft.reason ?? null,
    client_time: new Date(nowMs).toISOString(),
    epoch: null,
    recovered_from: null,
    state: "waiting",
    not_before_ms: 0,
    attempts: 0,
    result_version: 0,
    conflict_id: null,
    contested: [],
    fault: null,
    decision: null,
    settled_at_ms: null,
    dismissed: false,
  };
  await store.ops.add(op);
  await store.setFact("device_seq", deviceSeq);
  return op;
}

/** The adopted version. A row that only this phone knows will have version 1 once its insert is applied. */
function baseVersion(row: ServerRow | undefined, own: readonly StoredOp[]): number {
  if (row !== undefined) return row.version;
  if (own.some((op) => op.operation === "insert")) return 1;
  throw new RowMissing("the row is not on this phone");
}

/** This phone's newest entry on the row that the row does not show yet. A rejected one is out of the chain. */
function latestUnadopted(own: readonly StoredOp[], row: ServerRow | undefined): StoredOp | undefined {
  return own
    .filter((op) => op.state !== "rejected" && op.decision === null && !isAdopted(op, row))
    .reduce<StoredOp | undefined>(
      (latest, op) => (latest && latest.device_seq > op.device_seq ? latest : op),
      undefined,
    );
}

function seenValues(row: ServerRow | undefined, own: readonly StoredOp[], draft: Draft): Fields {
  const seen = overlay(row, own)?.data;
  if (seen === undefined) throw new RowMissing("the row is not on this phone");
  return Object.fromEntries(Object.keys(draft.data).map((name) => [name, seen[name] ?? null]));
}
