// Sends waiting entries, oldest first, in requests of bounded size.

import { answer, ApiProblem, type Api } from "@showdesk/api";
import * as v from "valibot";

import { settle, type RowKey } from "./settle.ts";
import type { Store, StoredOp } from "./store.ts";
import { PushAnswer, readResults } from "./wire.ts";

/** The protocol's limits with room for the envelope. */
const OPS_MAX = 500;
const BYTES_MAX = 900_000;
/** The version of the synced tables that this phone writes. */
const SCHEMA = 1;
/** More requests than this in one round means that something goes round in circles. */
const REQUESTS_MAX = 200;

/** What a push round needs. */
export interface PushContext {
  readonly api: Api;
  readonly store: Store;
  readonly now: () => number;
  /** How far the round is: entries sent, of how many. */
  readonly onProgress: (sent: number, total: number) => void;
  /** Verdicts were stored. */
  readonly onSettled: (touched: readonly RowKey[]) => Promise<void>;
}

/** Sends everything that may be sent now. */
export async function pushAll(context: PushContext): Promise<void> {
  const total = await context.store.ops.where("state").equals("waiting").count();
  let sent = 0;
  let opsMax = OPS_MAX;
  for (let request = 0; request < REQUESTS_MAX; request += 1) {
    const batch = await nextBatch(context, opsMax);
    if (batch.length === 0) return;
    context.onProgress(sent, total);
    try {
      await send(context, batch, total - sent - batch.length);
    } catch (error) {
      const isTooLarge = error instanceof ApiProblem && error.status === 413 && batch.length > 1;
      if (!isTooLarge) throw error;
      opsMax = Math.ceil(batch.length / 2);
      continue;
    }
    sent += batch.length;
  }
}

/** The oldest waiting entries that share a recovery epoch, as many as one request holds. */
async function nextBatch(context: PushContext, opsMax: number): Promise<StoredOp[]> {
  const now = context.now();
  const waiting = await context.store.ops.where("state").equals("waiting").sortBy("device_seq");
  const ready = waiting.filter((op) => op.not_before_ms <= now);
  // What a restored desk has lost goes first: later entries were made on top of it.
  const lost = ready.filter((op) => op.recovered_from !== null);
  const first = lost[0];
  const queue = first ? lost.filter((op) => op.recovered_from === first.recovered_from) : ready;
  const batch: StoredOp[] = [];
  let bytes = 0;
  for (const op of queue.slice(0, opsMax)) {
    bytes += JSON.stringify(wireOp(op)).length;
    if (bytes > BYTES_MAX && batch.length > 0) break;
    batch.push(op);
  }
  return batch;
}

async function send(context: PushContext, batch: readonly StoredOp[], stillHere: number): Promise<void> {
  const { api, store, now } = context;
  const body = {
    protocol: 1,
    epoch: (await store.fact("epoch")) ?? "",
    incarnation: (await store.fact("incarnation")) ?? "",
    schema: SCHEMA,
    client_time: new Date(now()).toISOString(),
    recovered_from: batch[0]?.recovered_from ?? null,
    ops: batch.map(wireOp),
  };
  const headers = { "X-Client-Pending": String(Math.max(0, stillHere)) };
  const result = v.parse(PushAnswer, answer(await api.POST("/api/v1/sync/push", { body, headers })));
  const results = readResults(result.results);
  const touched = await settle(store, results, now());
  await delayUnanswered(store, batch, new Set(results.map((one) => one.op_id)), now());
  await context.onSettled(touched);
}

/** An entry whose result is missing or unreadable stays, but must not keep the round going for ever. */
async function delayUnanswered(
  store: Store,
  batch: readonly StoredOp[],
  answered: ReadonlySet<string>,
  nowMs: number,
): Promise<void> {
  const UNANSWERED_DELAY_MS = 15_000;
  const left = batch.filter((op) => !answered.has(op.op_id));
  await store.ops.bulkPut(
    left.map((op) => ({ ...op, attempts: op.attempts + 1, not_before_ms: nowMs + UNANSWERED_DELAY_MS })),
  );
}

/** The entry as the protocol writes it; the token is never part of it. */
function wireOp(op: StoredOp) {
  const { op_id, device_seq, table_name, record_id, operation, base_version, prev_op_id } = op;
  return {
    op_id,
    device_seq,
    txn: null,
    table_name,
    record_id,
    operation,
    base_version,
    prev_op_id,
    epoch: op.epoch,
    reason: op.reason,
    data: op.data,
    ...(op.base === null ? {} : { base: op.base }),
    client_time: op.client_time,
  };
}
