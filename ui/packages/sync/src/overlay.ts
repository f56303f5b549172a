// What the person sees of a row: the desk's values with this phone's own entries on top. Pure.

import type { Fields, ServerRow, StoredOp } from "./store.ts";

/** A row as this phone shows it. */
export interface LocalRow {
  readonly table: string;
  readonly id: string;
  /** The version last adopted from the desk; 0 for a row that only this phone knows. */
  readonly version: number;
  readonly data: Fields;
  readonly disputed: readonly string[];
  /** What the desk last told, where entries of this phone lie on top that it has not told back yet. */
  readonly told: Fields | null;
  /** Whether such entries are in it. */
  readonly isOwn: boolean;
}

/** Whether the row as the phone has it already holds what the entry did. */
export function isAdopted(op: StoredOp, row: ServerRow | undefined): boolean {
  return op.state === "done" && (op.adopted || op.result_version === 0 || (row?.version ?? 0) >= op.result_version);
}

/** Whether the entry's values are shown on top of the desk's: not once a person must decide, nor when it was rejected. */
export function isShown(op: StoredOp, row: ServerRow | undefined): boolean {
  switch (op.state) {
    case "waiting":
      return true;
    case "held":
      return op.conflict_id === null;
    case "done":
      return !isAdopted(op, row) && op.decision === null;
    case "conflict":
    case "rejected":
      return false;
  }
}

/** The row with the entries on top, in the order they were made; nothing if it does not exist or they delete it. */
export function overlay(row: ServerRow | undefined, ops: readonly StoredOp[]): LocalRow | undefined {
  const shown = ops.filter((op) => isShown(op, row)).sort((a, b) => a.device_seq - b.device_seq);
  if (row !== undefined && shown.length === 0) return { ...row, told: null, isOwn: false };
  let data: Fields | undefined = row?.data;
  for (const op of shown) {
    if (op.operation === "delete") data = undefined;
    else if (op.operation === "insert") data = { ...op.data, ...data };
    else if (data !== undefined) data = patched(data, op.data);
  }
  const first = shown[0];
  if (data === undefined || first === undefined) return undefined;
  return {
    table: first.table_name,
    id: first.record_id,
    version: row?.version ?? 0,
    data,
    disputed: row?.disputed ?? [],
    told: row?.data ?? null,
    isOwn: true,
  };
}

/** Sets fields; keys of a JSON column are set one by one, as the desk does it. */
export function patched(data: Fields, change: Fields): Fields {
  const result: Fields = { ...data };
  for (const [name, value] of Object.entries(change)) {
    const before = result[name];
    result[name] = isObject(value) && isObject(before) ? { ...before, ...value } : value;
  }
  return result;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
