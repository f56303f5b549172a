// How a clash ended, in words: who decided what, and why.

import type { ConflictView } from "../../data/desk-api.ts";
import { conflictText, decidesWholeRecord, lowerFirst, sideButtons, uniqueSides } from "../../text/conflict-words.ts";
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
  if (view.records !== undefined) {
    if (resolution === "client_wins") return words.checks.phoneRows;
    return resolution === "manual" ? words.checks.typedRows : words.checks.laptopRows;
  }
  if (decidesWholeRecord(view)) {
    const buttons = sideButtons(view);
    return resolution === "client_wins" ? buttons.phone : buttons.laptop;
  }
  const parts = fieldRows(view.contested).flatMap((row) => {
    const field = row[0];
    if (field === undefined) return [];
    return [`${lowerFirst(fieldText(field).label)} ${value(field, decidedValue(view, field), show)}`];
  });
  const text = listed(uniqueOutcome(view, resolution, show) ?? parts);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Of a value that must be unique: who has it now. A record that has none of its own any more became the other one. */
function uniqueOutcome(view: ConflictView, resolution: string | undefined, show: ShowText): string[] | undefined {
  const sides = uniqueSides(view);
  const field = view.contested[0];
  if (sides === undefined || field === undefined || resolution === undefined) return undefined;
  const what = `${fieldText(field).label} ${value(field, view.client_data?.[field], show)}`;
  if (resolution === "client_wins") return [words.checks.given(what, sides.phone)];
  if (resolution === "server_wins") return [words.checks.given(what, sides.laptop)];
  const decided = at(at(lastDecision(view), "values"), field);
  return decided === undefined ? [words.checks.willBeSame] : undefined;
}

/** What a field holds after the decision; the laptop's value where there is none. */
export function decidedValue(view: ConflictView, field: string): Json | undefined {
  const decision = lastDecision(view);
  const isPhones = textAt(decision, "resolution") === "client_wins" || view.kept?.[field] === "client";
  const side = isPhones ? view.client_data : view.server_data;
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
