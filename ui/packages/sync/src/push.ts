// Sends waiting entries, oldest first, in requests of bounded size. Nothing that one entry causes keeps the others here.

import { answer, ApiProblem, Unreachable, type Api } from "@showdesk/api";
import * as v from "valibot";

import { BYTES_MAX, bytesOf, OPS_MAX, SCHEMA, wireOp } from "./envelope.ts";
import { leftMs, OF_ANY_REQUEST, resendAtMs } from "./retry.ts";
import { settle, type RowKey } from "./settle.ts";
import type { Store, StoredOp } from "./store.ts";
import { PushAnswer, readResults } from "./wire.ts";

/** More requests than this in one round means that something goes round in circles. */
const REQUESTS_MAX = 200;
/** How long an entry waits at least that the desk did not answer, or that it refused to read. */
const ASIDE_MS = 15_000;

/** What a push round needs. */
export interface PushContext {
  readonly api: Api;
  readonly store: Store;
  readonly now: () => number;
  readonly random: () => number;
  /** How much one request may hold; it remembers what went wrong from one round to the next. */
  readonly pace: Pace;
  /** How far the round is: entries sent, of how many. */
  readonly onProgress: (sent: number, total: number) => void;
  /** Verdicts were stored. */
  readonly onSettled: (touched: readonly RowKey[]) => Promise<void>;
}

/** How many entries one request holds: fewer after a failure, more again after a round without one. */
export class Pace {
  #opsMax = OPS_MAX;

  get opsMax(): number {
    return this.#opsMax;
  }

  /** A request with so many entries failed. */
  slower(sent: number): void {
    this.#opsMax = Math.max(1, Math.ceil(sent / 2));
  }

  /** The entry at fault was found: size was not the reason. */
  full(): void {
    this.#opsMax = OPS_MAX;
  }

  /** A round went well. */
  faster(): void {
    this.#opsMax = Math.min(OPS_MAX, this.#opsMax * 2);
  }
}

/** Sends everything that may be sent now. Answers why entries were set aside, if any were. */
export async function pushAll(context: PushContext): Promise<ApiProblem | null> {
  const { store, pace } = context;
  const total = await store.ops.where("state").equals("waiting").count();
  let refusal: ApiProblem | null = null;
  let wentWell = true;
  let sent = 0;
  for (let request = 0; request < REQUESTS_MAX; request += 1) {
    const batch = await nextBatch(context);
    if (batch.length === 0) break;
    context.onProgress(sent, total);
    try {
      await send(context, batch, total - sent - batch.length);
      sent += batch.length;
    } catch (error) {
      wentWell = false;
      const isAside = await workAround(context, batch, error);
      if (!isRefusal(error)) throw error;
      if (isAside) refusal = error;
    }
  }
  if (wentWell) pace.faster();
  return refusal;
}

/** Makes requests smaller until the entry that spoils them is alone, then sets that one aside: true if it did. */
async function workAround(context: PushContext, batch: readonly StoredOp[], error: unknown): Promise<boolean> {
  // The ping was answered and this was not: it can be the way, and it can be what was sent.
  if (!isRefusal(error) && !(error instanceof Unreachable)) return false;
  const isOne = batch.length === 1 || batch.every((op) => op.txn !== null && op.txn.id === batch[0]?.txn?.id);
  if (!isOne) {
    context.pace.slower(batch.length);
    return false;
  }
  // An answer that was lost once says nothing about the entry: it goes again with the next round.
  const isFirst = error instanceof Unreachable && batch.every((op) => op.attempts === 0);
  await setAside(context, batch, isFirst ? 0 : ASIDE_MS);
  if (!isFirst) context.pace.full();
  return true;
}

/** The desk has answered, and would answer the same to this request again. */
function isRefusal(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && !NOT_OF_THE_ENTRIES.has(error.status);
}

/** Refusals of a push that say nothing of its entries: what any request gets, another epoch, rows anew, a full disk. */
const NOT_OF_THE_ENTRIES = new Set([...OF_ANY_REQUEST, 409, 410, 507]);

/** The oldest waiting entries that belong into one envelope, as many as one request holds. */
async function nextBatch({ store, now, pace }: PushContext): Promise<StoredOp[]> {
  const nowMs = now();
  const epoch = (await store.fact("epoch")) ?? null;
  const waiting = await store.ops.where("state").equals("waiting").sortBy("device_seq");
  // What a restored desk has lost goes first: later entries were made on top of it.
  const queue = [...waiting.filter(isGivenBack), ...waiting.filter((op) => !isGivenBack(op))];
  const batch: StoredOp[] = [];
  let bytes = 0;
  for (const unit of unitsOf(queue)) {
    if (unit.some((op) => leftMs(op.not_before_ms, nowMs) > 0)) continue;
    const [first] = unit;
    if (first === undefined || !fitsEnvelope(batch[0], first)) continue;
    const whole = await withAnswered(store, unit);
    bytes += whole.reduce((sum, op) => sum + bytesOf(wireOp(op, epoch)), 0);
    const isFull = batch.length + whole.length > pace.opsMax || bytes > BYTES_MAX;
    if (isFull && batch.length > 0) break;
    batch.push(...whole);
  }
  return batch.sort((a, b) => a.device_seq - b.device_seq);
}

function isGivenBack(op: StoredOp): boolean {
  return op.recovered_from !== null;
}

/** Entries that are decided together, as one; every other entry by itself. In the order of the first of each. */
function unitsOf(queue: readonly StoredOp[]): StoredOp[][] {
  const units = new Map<string, StoredOp[]>();
  for (const op of queue) {
    const key = op.txn?.id ?? op.op_id;
    const unit = units.get(key);
    if (unit) unit.push(op);
    else units.set(key, [op]);
  }
  return [...units.values()];
}

/** A request speaks for one store of this phone, and gives back what one epoch has lost. */
function fitsEnvelope(before: StoredOp | undefined, op: StoredOp): boolean {
  if (before === undefined) return true;
  return before.recovered_from === op.recovered_from && before.incarnation === op.incarnation;
}

/** A group is sent whole, even if the answers about some of it have arrived: the desk gives those again. */
async function withAnswered(store: Store, unit: readonly StoredOp[]): Promise<readonly StoredOp[]> {
  const txn = unit[0]?.txn;
  if (!txn || unit.length === txn.size) return unit;
  return await store.ops.filter((op) => op.txn?.id === txn.id).sortBy("device_seq");
}

async function send(context: PushContext, batch: readonly StoredOp[], stillHere: number): Promise<void> {
  const { api, store, now, random } = context;
  const epoch = (await store.fact("epoch")) ?? "";
  const body = {
    protocol: 1,
    epoch,
    incarnation: batch[0]?.incarnation ?? (await store.fact("incarnation")) ?? "",
    schema: SCHEMA,
    client_time: new Date(now()).toISOString(),
    recovered_from: batch[0]?.recovered_from ?? null,
    ops: batch.map((op) => wireOp(op, epoch)),
  };
  const headers = { "X-Client-Pending": String(Math.max(0, stillHere)) };
  const result = v.parse(PushAnswer, answer(await api.POST("/api/v1/sync/push", { body, headers })));
  const results = readResults(result.results);
  const touched = await settle(store, results, { nowMs: now(), random });
  const answered = new Set(results.map((one) => one.op_id));
  await setAside(
    context,
    batch.filter((op) => op.state === "waiting" && !answered.has(op.op_id)),
    ASIDE_MS,
  );
  await context.onSettled(touched);
}

/** Entries that were not answered stay, but must not keep the round going for ever, nor others here. */
async function setAside({ store, now, random }: PushContext, ops: readonly StoredOp[], leastMs: number): Promise<void> {
  const moment = { nowMs: now(), random };
  await store.ops
    .where("op_id")
    .anyOf(ops.map((op) => op.op_id))
    .modify((op) => {
      const attempts = op.attempts + 1;
      const not_before_ms = leastMs === 0 ? 0 : resendAtMs(attempts, leastMs, moment);
      Object.assign(op, { attempts, not_before_ms });
    });
}
