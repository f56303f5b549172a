// From what a person chose for each disputed field to the one decision that the desk is asked to write.
//
// Pure. Nothing is chosen beforehand, and an unfinished choice is no decision.

import type { ConflictView, GroupRow, Resolution, Row } from "../../data/desk-api.ts";
import { canBeSame, decidesWholeRecord } from "../../text/conflict-words.ts";
import { fieldRows } from "../../text/fields.ts";
import type { ShowText } from "../../text/format.ts";
import { isCard } from "../../text/group-words.ts";
import type { Json } from "../../text/json.ts";
import { words } from "../../text/words.ts";
import { isTypable, readTyped, typedText } from "../../text/typing.ts";

/** Whose value a row of the table takes; `same`: the two rows are one thing. */
export type Side = "phone" | "laptop" | "other" | "same";

/** A row that a person decides: a field, fields that travel together, or the record or group as a whole. */
export interface DecisionRow {
  /** The leading field; `record` for the record as a whole, `group` for a group of records. */
  key: string;
  fields: readonly string[];
  /** The ways that are offered. */
  sides: readonly Side[];
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

export function decisionRows(view: ConflictView): DecisionRow[] {
  if (view.records !== undefined) return [{ key: GROUP, fields: [], sides: groupSides(view) }];
  if (decidesWholeRecord(view)) {
    // Of a deletion that came before a restore nothing is left that could be written.
    const isGone = view.kind === "restored_server" && view.contested.length === 0;
    return [{ key: WHOLE_RECORD, fields: view.contested, sides: isGone ? ["laptop"] : ["phone", "laptop"] }];
  }
  const rows = fieldRows(view.contested);
  return rows.flatMap((fields) => {
    const key = fields[0];
    if (key === undefined) return [];
    const sides: Side[] = ["phone", "laptop"];
    if (fields.some(isTypable) && !isProposal(view)) sides.push("other");
    // Being the same is about the whole record: it cannot stand beside another row's choice.
    if (canBeSame(view) && rows.length === 1) sides.push("same");
    return [{ key, fields, sides }];
  });
}

/** A card that contradicts itself cannot be taken as it is; places are all that can be typed. */
function groupSides(view: ConflictView): Side[] {
  if (view.rule === "C8") return ["laptop", "other"];
  return isCard(view) ? ["phone", "laptop", "other"] : ["phone", "laptop"];
}

/** What a rule proposes is confirmed or not. */
function isProposal(view: ConflictView): boolean {
  return view.rule === "C6" || view.rule === "C14";
}

export const WHOLE_RECORD = "record";
export const GROUP = "group";

/** All rows on one side are that side's decision; a mixture is a manual one that spells every value out. */
export function decide(view: ConflictView, choices: Choices, show: ShowText): Decision {
  const rows = decisionRows(view);
  const sides = rows.map((row) => choices[row.key]?.side);
  if (rows.length === 0 || sides.includes(undefined)) return { state: "incomplete" };
  if (sides.every((side) => side === "phone")) return { state: "ready", resolution: "client_wins", data: undefined };
  if (sides.every((side) => side === "laptop")) return { state: "ready", resolution: "server_wins", data: undefined };
  if (view.records !== undefined) return typedPlaces(view.records, choices[GROUP]?.typed ?? {});
  if (sides.includes("same")) {
    const same = view.other_record_id;
    if (typeof same !== "string" || rows.length > 1) return { state: "incomplete" };
    return { state: "ready", resolution: "manual", data: { same_as: same } };
  }
  return spellOut(view, rows, choices, show);
}

/** The places that were typed, by record. A row without one stays as the laptop has it. */
function typedPlaces(records: Readonly<Record<string, GroupRow>>, typed: Choice["typed"]): Decision {
  const data: Row = {};
  const faults: Record<string, string> = {};
  for (const [id, part] of Object.entries(records)) {
    const text = (typed[id] ?? "").trim();
    if (part.table_name !== "placings" || text === "") continue;
    if (/^[1-9]\d{0,2}$/.test(text)) data[id] = { place: Number(text) };
    else faults[id] = words.checks.notPlace;
  }
  if (Object.keys(faults).length > 0) return { state: "invalid", fields: faults };
  if (Object.keys(data).length === 0) return { state: "invalid", fields: { [GROUP]: words.checks.oneOfPlaces } };
  return { state: "ready", resolution: "manual", data };
}

function spellOut(view: ConflictView, rows: readonly DecisionRow[], choices: Choices, show: ShowText): Decision {
  const data: Row = {};
  const faults: Record<string, string> = {};
  for (const row of rows) {
    const choice = choices[row.key] ?? NO_CHOICE;
    for (const field of row.fields) {
      const result = chosenValue(view, field, choice, show, field === row.key);
      if ("fault" in result) faults[field] = result.fault;
      else data[field] = result.value;
    }
  }
  if (Object.keys(faults).length > 0) return { state: "invalid", fields: faults };
  return { state: "ready", resolution: "manual", data };
}

/** Of fields that travel together only the leading one must be typed; the others stay as the laptop has them. */
function chosenValue(
  view: ConflictView,
  field: string,
  choice: Choice,
  show: ShowText,
  isLeading: boolean,
): { value: Json } | { fault: string } {
  if (choice.side === "phone") return { value: view.client_data?.[field] ?? null };
  const typed = choice.typed[field];
  const stays = choice.side === "laptop" || !isTypable(field) || (!isLeading && typed === undefined);
  if (stays) return { value: view.server_data?.[field] ?? null };
  if (!isLeading && typed?.trim() === "") return { value: null };
  return readTyped(field, typed ?? "", show);
}

/** What stands in the input of a field before anything is typed: nothing in the leading one. */
export function inputText(view: ConflictView, row: DecisionRow, field: string, choice: Choice, show: ShowText): string {
  const before = field === row.key ? "" : typedText(field, view.server_data?.[field], show);
  return choice.typed[field] ?? before;
}

/** The value that a row's field would have, for the Result column; undefined while nothing is chosen. */
export function resultOf(view: ConflictView, field: string, choice: Choice, show: ShowText): Json | undefined {
  if (choice.side === undefined || choice.side === "same") return undefined;
  const result = chosenValue(view, field, choice, show, true);
  return "fault" in result ? undefined : result.value;
}
