// A row of the file as its cells read, and what is wrong with it.

import type { ImportIssue, ImportPreview, ImportRow } from "../../data/desk-api.ts";
import { animalText } from "../../text/conflict-words.ts";
import { fieldText } from "../../text/fields.ts";
import { value, type ShowText } from "../../text/format.ts";
import { textAt } from "../../text/json.ts";
import { words } from "../../text/words.ts";

/** The columns of the table: their heading, the file's columns they show, and how. */
export interface CellColumn {
  id: string;
  label: string;
  /** Columns of the file by the words of the desk. */
  from: readonly string[];
  width?: string;
  number?: boolean;
  text: (row: ImportRow, show: ShowText) => string;
}

const plain = (name: string) => (row: ImportRow) => textAt(row.data, name) ?? "";

export const CELL_COLUMNS: readonly CellColumn[] = [
  {
    id: "number",
    label: words.entries.number,
    from: ["back_number"],
    width: "72px",
    number: true,
    text: plain("back_number"),
  },
  {
    id: "exhibitor",
    label: words.entries.exhibitor,
    from: ["first_name", "last_name", "club", "county", "program"],
    text: (row) => [textAt(row.data, "first_name"), textAt(row.data, "last_name")].filter(Boolean).join(" "),
  },
  { id: "tag", label: words.entries.tag, from: ["tag", "official_id", "pen"], width: "88px", text: plain("tag") },
  {
    id: "animal",
    label: words.entries.animal,
    from: ["species", "sex", "breed"],
    text: (row) => animalText(textAt(row.data, "breed"), textAt(row.data, "sex"), textAt(row.data, "species")),
  },
  {
    id: "start",
    label: words.import.startWeight,
    from: ["init_weight", "init_date"],
    width: "104px",
    number: true,
    text: (row, show) => weightText(row, "init_weight", show),
  },
  {
    id: "weight",
    label: words.entries.weight,
    from: ["weight"],
    width: "88px",
    number: true,
    text: (row, show) => weightText(row, "weight", show),
  },
  { id: "class", label: words.entries.class, from: ["class_code"], text: plain("class_code") },
];

function weightText(row: ImportRow, name: string, show: ShowText): string {
  const text = textAt(row.data, name);
  if (text === undefined) return "";
  const number = Number(text);
  return Number.isFinite(number) ? `${number.toLocaleString("en-US")} ${show.unit}` : text;
}

/** What is said about each row, by its file line. */
export function issuesByRow(preview: ImportPreview): ReadonlyMap<number, readonly ImportIssue[]> {
  const byRow = new Map<number, ImportIssue[]>();
  for (const issue of preview.errors) byRow.set(issue.row, [...(byRow.get(issue.row) ?? []), issue]);
  return byRow;
}

/** Cells that many files leave blank: they are told where a person asks what to check, not on every row. */
const USUAL = new Set(["missing_start_weight", "missing_official_id"]);

/** What is said below a row: faults always, the usual blanks only among the rows to check. */
export function saidOf(
  row: ImportRow,
  issues: readonly ImportIssue[],
  { onlyChecks, accepted }: { onlyChecks: boolean; accepted: boolean },
): readonly ImportIssue[] {
  if (row.state === "left_out" || row.state === "same") return [];
  if (row.state === "error") return issues.filter((issue) => issue.severity === "error");
  if (accepted) return [];
  return issues.filter((issue) => onlyChecks || !USUAL.has(issue.code));
}

/** Each field that an animal of the show gets another value in. */
export function changeTexts(row: ImportRow, show: ShowText): string[] {
  return Object.entries(row.changes).flatMap(([field, pair]) => {
    if (!Array.isArray(pair)) return [];
    const [from, to] = [value(field, pair[0], show), value(field, pair[1], show)];
    return [words.import.changedFrom(fieldText(field).label, from, to)];
  });
}
