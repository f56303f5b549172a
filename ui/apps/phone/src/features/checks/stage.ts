// Whose turn a disputed entry is. Pure and small: the first screen counts with it.

import type { StoredCheck } from "@showdesk/sync";

/** The author's who was asked, the desk's, the author's with a decision, nobody's. */
export type Stage = "asked" | "open" | "decided" | "over";

/** Reads whose turn it is. */
export function stageOf({ view, answered_rev }: StoredCheck): Stage {
  if (view.status === "open") return view.asked !== null && view.asked.answer === null ? "asked" : "open";
  const isDecided = view.status === "resolved" && view.decisions.some((one) => one.undone_at === null);
  return isDecided && answered_rev !== view.rev ? "decided" : "over";
}
