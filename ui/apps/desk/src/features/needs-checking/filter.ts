// What a person looks for in the list: text, a type, a class, a phone, a person. Pure.

import type { ConflictView, QueueItem } from "../../data/desk-api.ts";
import { conflictText, decidesWholeRecord, phoneName } from "../../text/conflict-words.ts";
import { textAt, type Json } from "../../text/json.ts";
import { words } from "../../text/words.ts";

/** What a clash is about, as people sort them. */
export type ClashType = "weight" | "result" | "twice" | "gone" | "restored" | "value";

/** An empty text leaves everything. */
export interface Wanted {
  text: string;
  type: ClashType | "";
  class: string;
  phone: string;
  person: string;
}

export const EVERYTHING: Wanted = { text: "", type: "", class: "", phone: "", person: "" };

export interface FilterChoice<Value extends string = string> {
  value: Value;
  label: string;
}

/** The answers that make sense for what is listed. */
export interface FilterChoices {
  types: FilterChoice<ClashType>[];
  classes: FilterChoice[];
  phones: FilterChoice[];
  people: FilterChoice[];
}

const WEIGHTS: readonly string[] = ["official_weight_x10", "init_weight_x10", "weight_x10"];

export function typeOf(view: ConflictView): ClashType {
  if (view.kind === "restored_server") return "restored";
  if (view.kind === "unique_violation" || view.kind === "insert_insert") return "twice";
  if (view.table_name === "placings" || (view.kind === "rule" && ["C6", "C7", "C8"].includes(view.rule ?? ""))) {
    return "result";
  }
  if (decidesWholeRecord(view)) return "gone";
  return view.contested.some((field) => WEIGHTS.includes(field)) ? "weight" : "value";
}

/** How many of the choices, beside the text, are set. */
export function filtersSet(wanted: Wanted): number {
  return [wanted.type, wanted.class, wanted.phone, wanted.person].filter((set) => set !== "").length;
}

export function isWanted(view: ConflictView, wanted: Wanted): boolean {
  const device = textAt(view.device, "id");
  const people = [textAt(view.author, "id"), textAt(view.server_author, "id")];
  return (
    (wanted.type === "" || typeOf(view) === wanted.type) &&
    (wanted.class === "" || view.class?.id === wanted.class) &&
    (wanted.phone === "" || device === wanted.phone) &&
    (wanted.person === "" || people.includes(wanted.person)) &&
    holds(searchText(view), wanted.text)
  );
}

/** Of an entry that was not accepted only the phone, the person and the text are known. */
export function isWantedItem(item: QueueItem, wanted: Wanted): boolean {
  const text = [...members(item.subject), ...members(item.op.data), item.author.name, item.device.name].join(" ");
  return (
    wanted.type === "" &&
    wanted.class === "" &&
    (wanted.phone === "" || item.device.id === wanted.phone) &&
    (wanted.person === "" || item.author.id === wanted.person) &&
    holds(text, wanted.text)
  );
}

export function filterChoices(items: readonly ConflictView[]): FilterChoices {
  const types = new Map<ClashType, string>();
  const [classes, phones, people] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
  for (const view of items) {
    const type = typeOf(view);
    types.set(type, words.checks.types[type]);
    if (view.class) classes.set(view.class.id, words.checks.classGroup(view.class.code ?? undefined, view.class.name));
    const [device, text] = [textAt(view.device, "id"), conflictText(view)];
    if (device !== undefined) phones.set(device, phoneName(text.author, textAt(view.device, "name")));
    for (const person of [view.author, view.server_author]) {
      const [id, name] = [textAt(person, "id"), textAt(person, "name")];
      if (id !== undefined && name !== undefined) people.set(id, name);
    }
  }
  return { types: listed(types), classes: listed(classes), phones: listed(phones), people: listed(people) };
}

function listed<Value extends string>(found: ReadonlyMap<Value, string>): FilterChoice<Value>[] {
  return [...found]
    .map(([value, label]) => ({ value, label }))
    .sort((one, other) => one.label.localeCompare(other.label, "en", { numeric: true }));
}

/** A reference to another row: no words, and its digits would be found for numbers. */
const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

function searchText(view: ConflictView): string {
  const people = [textAt(view.author, "name"), textAt(view.server_author, "name"), textAt(view.device, "name")];
  const rows = [view.subject, ...Object.values(view.records ?? {}).flatMap((part) => [part.client, part.server])];
  const shown = [view.class?.code, view.class?.name, view.class?.ring];
  return [...rows.flatMap((row) => members(row ?? null)), ...disputedTexts(view), ...shown, ...people].join(" ");
}

/** What each side says and what was before: whoever looks for it has read it on the phone, or on the paper. */
function disputedTexts(view: ConflictView): string[] {
  return [view.base_data, view.client_data, view.server_data].flatMap((side) =>
    ["tag", ...view.contested].flatMap((field) => {
      const value = side?.[field];
      if (typeof value === "number") return String(field.endsWith("_x10") ? value / 10 : value);
      return typeof value === "string" && !ID.test(value) ? value : [];
    }),
  );
}

function members(json: Json): string[] {
  if (json === null || typeof json !== "object" || Array.isArray(json)) return [];
  return Object.values(json).flatMap((part) =>
    typeof part === "string" || typeof part === "number" ? [String(part)] : [],
  );
}

/** Every word that was typed stands somewhere in it. */
function holds(text: string, query: string): boolean {
  const lower = text.toLowerCase();
  const asked = query.toLowerCase().replaceAll("#", "").split(/\s+/).filter(Boolean);
  return asked.every((word) => lower.includes(word));
}
