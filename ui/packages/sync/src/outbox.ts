// Adds entries. When `addEntry` resolves, the entry is on the phone's disk; only then may success be shown.

import type { TableName } from "@showdesk/api";

import { durably } from "./durable.ts";
import { BYTES_MAX, bytesOf, OPS_MAX, wireOp } from "./envelope.ts";
import { newId } from "./ids.ts";
import { isAdopted, overlay } from "./overlay.ts";
import type { Fields, ServerRow, Store, StoredOp, Txn } from "./store.ts";

/** A change as a screen makes it. */
export interface Draft {
  readonly table: TableName;
  readonly id: string;
  readonly operation: "insert" | "update";
  readonly data: Fields;
  /** Required by some rules, kept in history. */
  readonly reason?: string;
}

/** Entries that are decided together travel in one request, and these do not fit into one. */
export class TogetherTooLarge extends Error {
  override readonly name = "TogetherTooLarge";
}

/** The row that is to be changed is not on this phone (any more). */
export class RowMissing extends Error {
  override readonly name = "RowMissing";
}

/** Stores one entry with the view its author had: the adopted version, the values seen, the entry before it. */
export async function addEntry(store: Store, draft: Draft, nowMs: number): Promise<StoredOp> {
  const opId = newId(nowMs);
  return await durably(store, () =>
    store.transaction("rw", [store.rows, store.ops, store.facts], () => addOnce(store, draft, opId, null, nowMs)),
  );
}

/** Stores entries that the desk takes all or none of. Later ones may build on earlier ones. */
export async function addTogether(store: Store, drafts: readonly Draft[], nowMs: number): Promise<StoredOp[]> {
  if (drafts.length > OPS_MAX) throw new TogetherTooLarge(`more than ${OPS_MAX} entries`);
  const opIds = drafts.map(() => newId(nowMs));
  const txn = { id: newId(nowMs), size: drafts.length };
  return await durably(store, () =>
    store.transaction("rw", [store.rows, store.ops, store.facts], async () => {
      const ops: StoredOp[] = [];
      for (const [i, draft] of drafts.entries()) {
        ops.push(await addOnce(store, draft, opIds[i] ?? newId(nowMs), txn, nowMs));
      }
      const bytes = ops.reduce((sum, op) => sum + bytesOf(wireOp(op, null)), 0);
      if (bytes > BYTES_MAX) throw new TogetherTooLarge(`more than ${BYTES_MAX} bytes`);
      return ops;
    }),
  );
}

/** Adds the entry. A connection may die after the entry has reached the disk: then it is there already. */
async function addOnce(store: Store, draft: Draft, opId: string, txn: Txn | null, nowMs: number): Promise<StoredOp> {
  // Asked for at once: a person waits for the answer, and each question in turn is a way to the disk and back.
  const [known, row, own, deviceSeq, rowsEpoch, epoch] = await Promise.all([
    store.ops.get(opId),
    store.rows.get([draft.table, draft.id]),
    store.opsOn(draft.table, draft.id),
    store.fact("device_seq"),
    store.fact("rows_epoch"),
    store.fact("epoch"),
  ]);
  if (known !== undefined) return known;
  const isInsert = draft.operation === "insert";
  const op: StoredOp = {
    ...FRESH,
    op_id: opId,
    device_seq: (deviceSeq ?? 0) + 1,
    txn,
    table_name: draft.table,
    record_id: draft.id,
    operation: draft.operation,
    base_version: isInsert ? 0 : baseVersion(row, own),
    prev_op_id: latestUnadopted(own, row)?.op_id ?? null,
    data: wellFormed(draft.data),
    base: isInsert ? null : seenValues(row, own, draft),
    reason: wellFormed(draft.reason ?? null),
    client_time: new Date(nowMs).toISOString(),
    epoch: row?.kept_from ?? rowsEpoch ?? epoch ?? null,
  };
  await Promise.all([store.ops.add(op), store.setFact("device_seq", op.device_seq)]);
  return op;
}

/** How an entry stands that has never been sent. */
export const FRESH = {
  incarnation: null,
  recovered_from: null,
  state: "waiting",
  not_before_ms: 0,
  attempts: 0,
  result_version: 0,
  adopted: false,
  waiting_for: null,
  conflict_id: null,
  contested: [],
  fault: null,
  decision: null,
  settled_at_ms: null,
  dismissed: false,
} as const satisfies Partial<StoredOp>;

/** JSON that every desk can read: half a character, left where a text was cut, would spoil the whole request. */
function wellFormed<T>(json: T): T {
  const whole = (value: unknown) => (typeof value === "string" ? value.replace(/[\ud800-\udfff]/gu, "\ufffd") : value);
  return JSON.parse(JSON.stringify(json), (_, value: unknown) => whole(value)) as T;
}

/** The adopted version. A row that only this phone knows will have version 1 once its insert is applied. */
function baseVersion(row: ServerRow | undefined, own: readonly StoredOp[]): number {
  if (row !== undefined) return row.version;
  if (own.some((op) => op.operation === "insert")) return 1;
  throw new RowMissing("the row is not on this phone");
}

/**
 * This store's newest entry on the row that the row does not show yet. A rejected one is out of the chain,
 * and chains never cross stores.
 */
function latestUnadopted(own: readonly StoredOp[], row: ServerRow | undefined): StoredOp | undefined {
  return own
    .filter((op) => op.incarnation === null && op.state !== "rejected" && op.decision === null && !isAdopted(op, row))
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
