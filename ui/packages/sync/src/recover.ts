// The desk was restored from a backup: it lives in another epoch, and may have forgotten what it had acknowledged.
//
// Nothing is dropped: waiting entries are stamped with the epoch they were made in, rows are taken anew,
// and acknowledged entries that the desk no longer knows are sent again.

import { answer, type Api } from "@showdesk/api";
import * as v from "valibot";

import { startReconcile } from "./pull.ts";
import type { Store } from "./store.ts";
import { OpsStatus, readResults } from "./wire.ts";

const STATUS_OPS_MAX = 500;

/** Turns to the new epoch; calling it again with the same epoch changes nothing. */
export async function enterEpoch(store: Store, epoch: string): Promise<void> {
  const tables = [store.ops, store.incoming, store.facts];
  await store.transaction("rw", tables, async () => {
    const old = await store.fact("epoch");
    if (old === epoch) return;
    await store.setFact("epoch", epoch);
    if (old === undefined) return;
    await store.ops
      .where("state")
      .equals("waiting")
      .modify((op) => Object.assign(op, { epoch: op.epoch ?? old }));
    // A second restore before the first was looked after: the oldest epoch still owns what was acknowledged.
    if ((await store.fact("recover_from")) === undefined) await store.setFact("recover_from", old);
    await startReconcile(store);
  });
}

/** After the rows were taken anew: gives back what the desk had acknowledged and has lost. */
export async function giveBack(api: Api, store: Store): Promise<void> {
  const lostEpoch = await store.fact("recover_from");
  if (lostEpoch === undefined || (await store.fact("reconcile")) !== undefined) return;
  const done = await store.ops.where("state").equals("done").sortBy("device_seq");
  for (let start = 0; start < done.length; start += STATUS_OPS_MAX) {
    const op_ids = done.slice(start, start + STATUS_OPS_MAX).map((op) => op.op_id);
    const status = v.parse(OpsStatus, answer(await api.POST("/api/v1/sync/ops/status", { body: { op_ids } })));
    const unknown = readResults(status.results).filter((result) => result.verdict === "unknown");
    await store.ops
      .where("op_id")
      .anyOf(unknown.map((result) => result.op_id))
      .modify((op) => Object.assign(op, { state: "waiting", recovered_from: lostEpoch, result_version: 0 }));
  }
  await store.dropFact("recover_from");
}
