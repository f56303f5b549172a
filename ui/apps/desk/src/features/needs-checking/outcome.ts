// How a clash ended, in words: who decided what, and why.

import type { ConflictView } from "../../data/desk-api.ts";
import { conflictText, decidesWholeRecord, lowerFirst, sideButtons } from "../../text/conflict-words.ts";
import { fieldRows, fieldText } from "../../text/fields.ts";
import { value, type ShowText } from "../../text/format.ts";
import { at, textAt, type Json } from "../../text/json.ts";
import { listed, words } from "../../text/words.ts";

/** The decision in force; undefined where there is none. */
export function lastDecision(view: ConflictView): Json | undefined {
  const last = view.decisions.at(-1);
  return last === undefined || textAt(last, "undone_at") !== undefined ? undefined : last;
}

/** `Tag 0421 kept`, `Kept deleted`. */
export function outcomeText(view: ConflictView, show: ShowText): string {
  const decision = lastDecision(view);
  const resolution = textAt(decision, "resolution");
  if (decidesWholeRecord(view.kind)) {
    const buttons = sideButtons(view.kind);
    return resolution === "client_wins" ? buttons.phone : buttons.laptop;
  }
  const parts = fieldRows(view.contested).flatMap((row) => {
    const field = row[0];
    if (field === undefined) return [];
    return [`${lowerFirst(fieldText(field).label)} ${value(field, decidedValue(view, field), show)}`];
  });
  const text = listed(parts);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a field holds after the decision; the laptop's value where there is none. */
export function decidedValue(view: ConflictView, field: string): Json | undefined {
  const decision = lastDecision(view);
  const side = textAt(decision, "resolution") === "client_wins" ? view.client_data : view.server_data;
  return at(at(decision, "values"), field) ?? side?.[field];
}

/** One sentence about a clash that is not open. */
export function closedText(view: ConflictView): string {
  switch (view.status) {
    case "withdrawn":
      return words.checks.withdrawn;
    case "superseded":
      return words.checks.superseded;
    default:
      return words.checks.joinedByItself;
  }
}

/** The author's own word on the decision, if they disagreed. */
export function disagreementText(view: ConflictView): string | undefined {
  if (view.disagreement === null) return undefined;
  return words.checks.disagrees(conflictText(view).author, textAt(view.disagreement, "note") ?? "");
}
