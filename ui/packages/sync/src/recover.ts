// The desk was restored from a backup: it lives in another epoch, and may have forgotten what it had acknowledged.
//
// Nothing is dropped: waiting entries tell the epoch they were made in, rows are taken anew, and acknowledged entries
// that the desk no longer knows are given back before the others. Each step is stored, so a phone that dies goes on
// where it was.

import type { Api } from "@showdesk/api";

import { askStatus, isFiled } from "./ops-status.ts";
import { startReconcile } from "./pull.ts";
import { settle, type Moment, type RowKey } from "./settle.ts";
import type { Store, StoredOp } from "./store.ts";

/** Turns to the new epoch; calling it again with the same epoch changes nothing. */
export async function enterEpoch(store: Store, epoch: string): Promise<void> {
  const tables = [store.ops, store.incoming, store.facts];
  await store.transaction("rw", tables, async () => {
    const old = await store.fact("epoch");
    if (old === epoch) return;
    await store.setFact("epoch", epoch);
    if (old === undefined) return;
    if ((await store.fact("rows_epoch")) === undefined) await store.setFact("rows_epoch", old);
    // A second restore before the first was looked after: the oldest epoch still owns what was acknowledged.
    if ((await store.fact("recover_from")) === undefined) await store.setFact("recover_from", old);
    await startReconcile(store);
  });
}

/** After the rows were taken anew: finds what the desk had acknowledged and has lost, and puts it before the queue. */
export async function giveBack(api: Api, store: Store, moment: Moment): Promise<RowKey[]> {
  const lostEpoch = await store.fact("recover_from");
  if (lostEpoch === undefined || (await store.fact("reconcile")) !== undefined) return [];
  const acknowledged = await store.opsIn("done", "held", "conflict", "rejected");
  const asked = acknowledged.filter((op) => !op.dismissed && isFiled(op)).sort((a, b) => a.device_seq - b.device_seq);
  const touched: RowKey[] = [];
  for await (const { opIds, results } of askStatus(api, asked)) {
    const known = results.filter((result) => result.verdict !== "unknown");
    touched.push(...(await settle(store, known, moment)));
    // One without an answer that can be read counts as lost: what the desk does know, it answers as before.
    const knownIds = new Set(known.map((result) => result.op_id));
    const lost = opIds.filter((opId) => !knownIds.has(opId));
    touched.push(...(await queueAgain(store, lost, lostEpoch)));
  }
  await store.transaction("rw", [store.ops, store.facts], async () => {
    await store.ops
      .where("state")
      .equals("done")
      .modify((op) => Object.assign(op, { adopted: true }));
    await store.dropFact("recover_from");
  });
  return touched;
}

async function queueAgain(store: Store, opIds: readonly string[], lostEpoch: string): Promise<RowKey[]> {
  const touched: RowKey[] = [];
  const again = { state: "waiting", not_before_ms: 0, result_version: 0, adopted: false } as const;
  const unsettled = { conflict_id: null, waiting_for: null, contested: [], fault: null, decision: null } as const;
  await store.ops
    .where("op_id")
    .anyOf(opIds)
    .modify((op: StoredOp) => {
      touched.push([op.table_name, op.record_id]);
      Object.assign(op, again, unsettled, { recovered_from: lostEpoch });
    });
  return touched;
}
