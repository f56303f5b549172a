// An entry as the protocol writes it, and how much one request may hold.

import type { StoredOp } from "./store.ts";

/** The version of the synced tables that this phone writes. */
export const SCHEMA = 1;

/** Entries of a request at most. */
export const OPS_MAX = 500;
/** Bytes of them at most: the desk's 1 MiB with room for the envelope. */
export const BYTES_MAX = 900_000;

/** The entry as a desk in `epoch` is told of it; the token is never part of it. */
export function wireOp(op: StoredOp, epoch: string | null) {
  const { op_id, device_seq, txn, table_name, record_id, operation, base_version, prev_op_id } = op;
  return {
    op_id,
    device_seq,
    txn,
    table_name,
    record_id,
    operation,
    base_version,
    prev_op_id,
    epoch: op.epoch === epoch ? null : op.epoch,
    reason: op.reason,
    data: op.data,
    ...(op.base === null ? {} : { base: op.base }),
    client_time: op.client_time,
  };
}

/** An entry as it goes over the network. */
export type WireOp = ReturnType<typeof wireOp>;

const encoder = new TextEncoder();

/** What it takes in a request. */
export function bytesOf(op: WireOp): number {
  return encoder.encode(JSON.stringify(op)).length + 1;
}
