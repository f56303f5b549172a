// A group of changes in words: what each of its rows is, and what stands on the two sides of it.

import type { ConflictView, GroupRow, Row } from "../data/desk-api.ts";
import { fieldText, isShown } from "./fields.ts";
import { value, type ShowText } from "./format.ts";
import { isSame, textAt } from "./json.ts";
import { words } from "./words.ts";

/** One field of a row, where the two sides differ. */
export interface GroupLine {
  field: string;
  label: string;
  phone: string;
  laptop: string;
  /** A person must choose; otherwise only the phone changed it. */
  disputed: boolean;
}

/** One row of the group as the table shows it. */
export interface GroupText {
  id: string;
  /** `#0412`, or the exhibitor's name. */
  name: string;
  /** `Placing`, `Exhibitor`. */
  what: string;
  lines: GroupLine[];
  /** What a side says about the row as a whole, where it has none there. */
  phoneHas: boolean;
  laptopHas: boolean;
  disputed: boolean;
}

/** The order in which rows of one group are read. */
const ORDER = ["exhibitors", "animals", "classes", "entries", "weigh_ins", "placings"];

/** Whether the group is a result card: placings of a class. */
export function isCard(view: Pick<ConflictView, "records">): boolean {
  return Object.values(view.records ?? {}).some((part) => part.table_name === "placings");
}

/** The rows of a group: a card by its places, anything else by table. */
export function groupTexts(view: ConflictView, show: ShowText): GroupText[] {
  return Object.entries(view.records ?? {})
    .sort(([, one], [, other]) => rank(one) - rank(other))
    .map(([id, part]) => groupText(id, part, view, show));
}

function rank(part: GroupRow): number {
  const table = ORDER.indexOf(part.table_name);
  const place = placeOf(part.client) ?? placeOf(part.server) ?? PLACES_MAX;
  return (table < 0 ? ORDER.length : table) * (PLACES_MAX + 1) + place;
}

const PLACES_MAX = 999;

function placeOf(row: Row | undefined): number | undefined {
  const place = row?.["place"];
  return typeof place === "number" ? place : undefined;
}

function groupText(id: string, part: GroupRow, view: ConflictView, show: ShowText): GroupText {
  const fields = [...part.contested, ...part.clean].filter(isTold);
  const lines = fields
    .filter((field) => part.contested.includes(field) || !isSame(part.client?.[field], part.server?.[field]))
    .filter((field) => !isEmpty(part.client?.[field]) || !isEmpty(part.server?.[field]))
    .map((field) => ({
      field,
      label: fieldText(field).label,
      phone: value(field, part.client?.[field], show),
      laptop: value(field, part.server?.[field], show),
      disputed: part.contested.includes(field) && !isSame(part.client?.[field], part.server?.[field]),
    }));
  const phoneHas = part.client !== undefined;
  const laptopHas = part.server !== undefined;
  return {
    id,
    name: rowName(part, view, show),
    what: words.tableTitle(part.table_name),
    lines,
    phoneHas,
    laptopHas,
    disputed:
      lines.some((line) => line.disputed) ||
      placesTwice(view).includes(placeOf(part.client) ?? 0) ||
      (phoneHas !== laptopHas && part.contested.length > 0),
  };
}

/** What a row points to is its name, not one of its values. */
function isTold(field: string): boolean {
  return isShown(field) && fieldText(field).kind !== "record" && field !== "posted_by";
}

function isEmpty(json: Row[string] | undefined): boolean {
  return json === undefined || json === null || json === "";
}

function rowName(part: GroupRow, view: ConflictView, show: ShowText): string {
  const row = part.client ?? part.server ?? part.base;
  const own = ownName(row);
  if (own !== undefined) return own;
  const pointed = textAt(row, "entry_id") ?? textAt(row, "animal_id") ?? textAt(row, "exhibitor_id");
  if (pointed === undefined) return `this ${words.table(part.table_name)}`;
  const beside = view.records?.[pointed];
  const known = ownName(beside?.client ?? beside?.server) ?? show.names[pointed];
  if (known === undefined) return words.anotherRecord(pointed);
  return /^[0-9A-Z-]+$/.test(known) ? `#${known}` : known;
}

function ownName(row: Row | undefined): string | undefined {
  const tag = textAt(row, "tag");
  if (tag !== undefined) return `#${tag}`;
  const person = [textAt(row, "first_name"), textAt(row, "last_name")].filter(Boolean).join(" ");
  return person === "" ? textAt(row, "name") : person;
}

/** The places that the phone's card gives more than once, in their order. */
export function placesTwice(view: Pick<ConflictView, "records">): number[] {
  const places = Object.values(view.records ?? {}).flatMap((part) => placeOf(part.client) ?? []);
  const twice = places.filter((place, index) => places.indexOf(place) !== index);
  return [...new Set(twice)].sort((one, other) => one - other);
}
