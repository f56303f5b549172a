// The author's own disputed entries: what became of them, and the author's word on a decision.

import { answer, ApiProblem, type Api } from "@showdesk/api";
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
    .modify((op) =>
      Object.assign(op, { state: "conflict", conflict_id: view.id, decision: null, adopted: false, result_version: 0 }),
    );
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

/** The author's answer belongs to a question that the desk has replaced by another one. */
export class QuestionMoved extends Error {
  override readonly name = "QuestionMoved";
}

/** The author answers what the desk asked about an entry: this question and no other. */
export async function answerQuestion(
  api: Api,
  store: Store,
  id: string,
  { question, text }: { readonly question: string; readonly text: string },
): Promise<void> {
  try {
    await api.POST("/api/v1/me/conflicts/{id}/answer", { params: { path: { id } }, body: { question, text } });
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code !== "question_moved") throw error;
    await takeChecks(api, store);
    throw new QuestionMoved("the desk asks something else", { cause: error });
  }
  await takeChecks(api, store);
}

/** The author takes an own entry back that waits for a decision: nothing of it is written. */
export async function withdraw(api: Api, store: Store, id: string, moment: Moment): Promise<void> {
  await api.POST("/api/v1/me/conflicts/{id}/withdraw", { params: { path: { id } } });
  await askOpen(api, store, moment);
  await takeChecks(api, store);
}

/** The person has read why an entry was rejected. The desk keeps its copy. */
export async function dismissRejected(store: Store, opId: string): Promise<void> {
  await store.ops
    .where("op_id")
    .equals(opId)
    .modify((op) => Object.assign(op, { dismissed: true }));
}
