// What the author says of an own disputed entry: content, another word on it, an answer, or taken back.

import { ApiProblem, type Api } from "@showdesk/api";

import { askOpen, takeChecks } from "./checks.ts";
import type { Moment } from "./settle.ts";
import type { Store } from "./store.ts";

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
