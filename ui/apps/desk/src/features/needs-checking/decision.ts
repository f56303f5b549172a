// From what a person chose for each disputed field to the one decision that the desk is asked to write.
//
// Pure. Nothing is chosen beforehand, and an unfinished choice is no decision.

import type { ConflictView, Resolution, Row } from "../../data/desk-api.ts";
import { decidesWholeRecord } from "../../text/conflict-words.ts";
import { fieldRows, fieldText } from "../../text/fields.ts";
import { parseWeight } from "../../text/format.ts";
import type { Json } from "../../text/json.ts";
import { words } from "../../text/words.ts";

/** Whose value a row of the table takes. */
export type Side = "phone" | "laptop" | "other";

/** A row that a person decides: a field, a group that travels together, or the record as a whole. */
export interface DecisionRow {
  /** The leading field; `record` for the record as a whole. */
  key: string;
  fields: readonly string[];
  /** Whether a third value may be typed. */
  canType: boolean;
}

/** What was chosen for one row. `typed` is kept while another side is looked at. */
export interface Choice {
  side: Side | undefined;
  typed: Readonly<Record<string, string>>;
}

export type Choices = Readonly<Record<string, Choice>>;

export const NO_CHOICE: Choice = { side: undefined, typed: {} };

/** What the choices come to. */
export type Decision =
  | { state: "incomplete" }
  | { state: "invalid"; fields: Readonly<Record<string, string>> }
  | { state: "ready"; resolution: Resolution; data: Row | undefined };

export function decisionRows(view: Pick<ConflictView, "kind" | "contested">): DecisionRow[] {
  if (decidesWholeRecord(view.kind)) return [{ key: WHOLE_RECORD, fields: view.contested, canType: false }];
  return fieldRows(view.contested).flatMap((fields) => {
    const key = fields[0];
    return key === undefined ? [] : [{ key, fields, canType: fields.some(isTypable) }];
  });
}

export const WHOLE_RECORD = "record";

/** Ids are chosen, never typed. */
export function isTypable(field: string): boolean {
  const { kind } = fieldText(field);
  return kind !== "record" && kind !== "person" && kind !== "list" && kind !== "gain" && kind !== "instant";
}

/** All rows on one side are that side's decision; a mixture is a manual one that spells every value out. */
export function decide(view: ConflictView, choices: Choices): Decision {
  const rows = decisionRows(view);
  const sides = rows.map((row) => choices[row.key]?.side);
  if (rows.length === 0 || sides.includes(undefined)) return { state: "incomplete" };
  if (sides.every((side) => side === "phone")) return { state: "ready", resolution: "client_wins", data: undefined };
  if (sides.every((side) => side === "laptop")) return { state: "ready", resolution: "server_wins", data: undefined };
  return spellOut(view, rows, choices);
}

function spellOut(view: ConflictView, rows: readonly DecisionRow[], choices: Choices): Decision {
  const data: Row = {};
  const faults: Record<string, string> = {};
  for (const row of rows) {
    const choice = choices[row.key] ?? NO_CHOICE;
    for (const field of row.fields) {
      const result = chosenValue(view, field, choice);
      if ("fault" in result) faults[field] = result.fault;
      else data[field] = result.value;
    }
  }
  if (Object.keys(faults).length > 0) return { state: "invalid", fields: faults };
  return { state: "ready", resolution: "manual", data };
}

function chosenValue(view: ConflictView, field: string, choice: Choice): { value: Json } | { fault: string } {
  if (choice.side === "phone") return { value: view.client_data?.[field] ?? null };
  if (choice.side === "laptop" || !isTypable(field)) return { value: view.server_data?.[field] ?? null };
  return readTyped(field, choice.typed[field] ?? "");
}

/** A typed text as the value of its field, or what is wrong with it. */
export function readTyped(field: string, text: string): { value: Json } | { fault: string } {
  const trimmed = text.trim();
  if (trimmed === "") return { fault: words.checks.notEmpty };
  switch (fieldText(field).kind) {
    case "weight": {
      const x10 = parseWeight(trimmed);
      return x10 === undefined ? { fault: words.checks.notWeight } : { value: x10 };
    }
    case "number":
      return /^\d{1,9}$/.test(trimmed) ? { value: Number(trimmed) } : { fault: words.checks.notWhole };
    case "flag":
      return { value: trimmed === "true" };
    case "code":
      return { value: trimmed.toUpperCase() };
    default:
      return { value: trimmed };
  }
}

/** The value that a row's field would have, for the Result column; undefined while nothing is chosen. */
export function resultOf(view: ConflictView, field: string, choice: Choice): Json | undefined {
  if (choice.side === undefined) return undefined;
  const result = chosenValue(view, field, choice);
  return "fault" in result ? undefined : result.value;
}
