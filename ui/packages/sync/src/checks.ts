// The author's own disputed entries: what became of them. The author's word on a decision is in answers.ts.

import { answer, type Api } from "@showdesk/api";
import * as v from "valibot";

import { askStatus, isFiled } from "./ops-status.ts";
import { settle, type Moment, type RowKey } from "./settle.ts";
import type { Store, StoredCheck, StoredOp } from "./store.ts";
import { MyChecks, type CheckView, type OpResult } from "./wire.ts";

/** Asks the desk how entries stand that wait for a person; answers the rows whose entries moved. */
export async function askOpen(api: Api, store: Store, moment: Moment): Promise<RowKey[]> {
  const open = (await store.opsIn("held", "conflict", "rejected")).filter(isFiled);
  const before = new Map(open.map((op) => [op.op_id, op]));
  const touched: RowKey[] = [];
  for await (const { results } of askStatus(api, open)) {
    const moved = results.filter((result) => hasMoved(before.get(result.op_id), result));
    if (moved.length > 0) touched.push(...(await settle(store, moved, moment)));
  }
  return touched;
}

function hasMoved(op: StoredOp | undefined, result: OpResult): boolean {
  if (op === undefined) return false;
  switch (result.verdict) {
    case "applied":
    case "merged":
    case "noop":
    case "unknown":
      return true;
    case "held":
    case "conflict":
      return op.state !== result.verdict || op.conflict_id !== result.conflict_id;
    case "rejected":
      return op.state !== "rejected";
    case "retry":
      return false;
  }
}

/**
 * Takes the author's disputed entries from the desk, keeping which decisions were answered.
 * Answers the rows of those that are new or other than before: a question changes nothing else.
 */
export async function takeChecks(api: Api, store: Store): Promise<RowKey[]> {
  const { items } = v.parse(MyChecks, answer(await api.GET("/api/v1/me/conflicts")));
  return await store.transaction("rw", [store.checks, store.ops], async () => {
    const known = new Map((await store.checks.toArray()).map((check) => [check.id, check]));
    await store.checks.clear();
    await store.checks.bulkPut(
      items.map((view): StoredCheck => ({ id: view.id, view, answered_rev: known.get(view.id)?.answered_rev ?? null })),
    );
    for (const view of items.filter((item) => item.status === "open")) await reopenOps(store, view);
    const isNews = (view: CheckView) => JSON.stringify(view) !== JSON.stringify(known.get(view.id)?.view);
    return items.filter(isNews).map((view): RowKey => [view.table_name, view.record_id]);
  });
}

/** A decision that was undone or disagreed with: its entries wait for a person again. */
async function reopenOps(store: Store, view: CheckView): Promise<void> {
  await store.ops
    .where("op_id")
    .anyOf(view.op_ids)
    .filter((op) => op.decision !== null)
    .modify((op) =>
      Object.assign(op, { state: "conflict", conflict_id: view.id, decision: null, adopted: false, result_version: 0 }),
    );
}
