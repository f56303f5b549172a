// Editing an animal by hand: which fields, what was typed, and the change it comes to. Pure.

import type { Row } from "../../data/desk-api.ts";
import { fieldText } from "../../text/fields.ts";
import { parseWeight, type ShowText } from "../../text/format.ts";
import { isSame, type Json } from "../../text/json.ts";
import { readTyped } from "../../text/typing.ts";
import type { RowChange } from "./row-change.ts";
import type { Version } from "./versions.ts";

/** What a person edits at the desk, in the order of the form. */
export const EDITED_FIELDS = [
  "tag",
  "official_id",
  "breed",
  "sex",
  "name",
  "pen",
  "init_weight_x10",
  "init_weighed_on",
  "id_check",
  "health_check",
  "note",
] as const;
export type EditedField = (typeof EDITED_FIELDS)[number];

export type Typed = Readonly<Record<EditedField, string>>;

/** A row as texts to type over. */
export function typedOf(row: Row): Typed {
  const texts = EDITED_FIELDS.map((field): [EditedField, string] => [field, textOf(field, row[field])]);
  return Object.fromEntries(texts) as Record<EditedField, string>;
}

function textOf(field: EditedField, json: Json | undefined): string {
  if (json === null || json === undefined) return "";
  if (fieldText(field).kind === "weight" && typeof json === "number") return String(json / 10);
  return typeof json === "object" ? "" : String(json);
}

export type Edit =
  { state: "invalid"; faults: Readonly<Record<string, string>> } | { state: "ready"; change: RowChange; count: number };

/** What was typed over a version, or what is wrong with it. */
export function editOf(before: Version, typed: Typed, show: ShowText): Edit {
  const data: Row = {};
  const base: Row = {};
  const faults: Record<string, string> = {};
  for (const field of EDITED_FIELDS) {
    const was = before.snapshot[field] ?? null;
    if (typed[field].trim() === textOf(field, was)) continue;
    const read = typed[field].trim() === "" ? { value: null } : readTyped(field, typed[field], show);
    if ("fault" in read) {
      faults[field] = read.fault;
    } else if (!isSame(read.value, was)) {
      data[field] = read.value;
      base[field] = was;
    }
  }
  if (Object.keys(faults).length > 0) return { state: "invalid", faults };
  const change: RowChange = {
    table: "animals",
    id: before.id,
    operation: "update",
    base_version: before.version,
    data,
    base,
  };
  return { state: "ready", change, count: Object.keys(data).length };
}

/** Two weighings of one day differ by less than this part, or the wrong animal stands on the scale. */
const SAME_DAY_SLACK = 0.05;

/** A typed weight in tenths; whether it is far from the one that counts now. */
export function weightOf(text: string, lastX10: number | undefined): { x10: number; isFar: boolean } | undefined {
  const x10 = parseWeight(text);
  if (x10 === undefined) return undefined;
  return { x10, isFar: lastX10 !== undefined && Math.abs(x10 - lastX10) > lastX10 * SAME_DAY_SLACK };
}
