// Asks the desk how entries stand that it has answered before.

import { answer, type Api } from "@showdesk/api";
import * as v from "valibot";

import type { StoredOp } from "./store.ts";
import { OpsStatus, readResults, type OpResult } from "./wire.ts";

/** Entries of one question at most. */
const STATUS_OPS_MAX = 500;

/** One question and its answer. */
export interface Asked {
  readonly opIds: readonly string[];
  /** What could be read of the answer. */
  readonly results: readonly OpResult[];
}

/** The desk's present verdicts, question by question. */
export async function* askStatus(api: Api, ops: readonly StoredOp[]): AsyncGenerator<Asked> {
  for (let start = 0; start < ops.length; start += STATUS_OPS_MAX) {
    const opIds = ops.slice(start, start + STATUS_OPS_MAX).map((op) => op.op_id);
    const asked = answer(await api.POST("/api/v1/sync/ops/status", { body: { op_ids: opIds } }));
    yield { opIds, results: readResults(v.parse(OpsStatus, asked).results) };
  }
}

/** Refusals of an entry's id: the desk cannot keep them under it, and knows nothing of the entry when asked. */
const NOT_FILED = new Set(["op_id_reused", "invalid_op_id"]);

/** Whether the desk can say how the entry stands. One that it has no record of would be sent for ever. */
export function isFiled(op: StoredOp): boolean {
  return !(op.state === "rejected" && NOT_FILED.has(op.fault?.code ?? ""));
}
