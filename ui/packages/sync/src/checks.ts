// The author's own disputed entries: what became of them, and the author's word on a decision.

import { answer, type Api } from "@showdesk/api";
import * as v from "valibot";

import { settle, type RowKey } from "./settle.ts";
import type { Store, StoredCheck } from "./store.ts";
import { MyChecks, OpsStatus, readResults, type CheckView } from "./wire.ts";

const STATUS_OPS_MAX = 500;

/** Asks the desk how entries stand that wait for a person; answers the rows whose entries moved. */
export async function askOpen(api: Api, store: Store, nowMs: number): Promise<RowKey[]> {
  const open = await store.ops.where("state").anyOf("held", "conflict", "rejected").toArray();
  const asked = open.filter((op) => !op.dismissed).slice(0, STATUS_OPS_MAX);
  if (asked.length === 0) return [];
  const body = { op_ids: asked.map((op) => op.op_id) };
  const status = v.parse(OpsStatus, answer(await api.POST("/api/v1/sync/ops/status", { body })));
  const before = new Map(asked.map((op) => [op.op_id, op]));
  const stateOf = { applied: "done", merged: "done", noop: "done" } as const satisfies Record<string, string>;
  const moved = readResults(status.results).filter((result) => {
    const state = result.verdict in stateOf ? "done" : result.verdict;
    return before.get(result.op_id)?.state !== state;
  });
  return await settle(store, moved, nowMs);
}

/** Takes the author's disputed entries from the desk, keeping which decisions were answered. */
export async function takeChecks(api: Api, store: Store): Promise<void> {
  const { items } = v.parse(MyChecks, answer(await api.GET("/api/v1/me/conflicts")));
  await store.transaction("rw", [store.checks, store.ops], async () => {
    const known = new Map((await store.checks.toArray()).map((check) => [check.id, check]));
    await store.checks.clear();
    await store.checks.bulkPut(
      items.map((view): StoredCheck => ({ id: view.id, view, answered_rev: known.get(view.id)?.answered_rev ?? null })),
    );
    for (const view of items.filter((item) => item.status === "open")) await reopenOps(store, view);
  });
}

/** A decision that was undone or disagreed with: its entries wait for a person again. */
async function reopenOps(store: Store, view: CheckView): Promise<void> {
  await store.ops
    .where("op_id")
    .anyOf(view.op_ids)
    .filter((op) => op.decision !== null)
    .modify((op) => Object.assign(op, { state: "conflict", conflict_id: view.id, decision: null }));
}

/** The author is content with the decision. Only this phone remembers it. */
export async function acceptDecision(store: Store, id: string): Promise<void> {
  await store.transaction("rw", store.checks, async () => {
    const check = await store.checks.get(id);
    if (check) await store.checks.put({ ...check, answered_rev: check.view.rev });
  });
}

/** The author disagrees: the check is open again, the decided value stays until the desk decides anew. */
export async function disagree(api: Api, store: Store, id: string, note: string): Promise<void> {
  const body = note === "" ? {} : { note };
  await api.POST("/api/v1/me/conflicts/{id}/disagree", { params: { path: { id } }, body });
  await takeChecks(api, store);
}

/** The person has read why an entry was rejected. The desk keeps its copy. */
export async function dismissRejected(store: Store, opId: string): Promise<void> {
  await store.ops
    .where("op_id")
    .equals(opId)
    .modify((op) => Object.assign(op, { dismissed: true }));
}
