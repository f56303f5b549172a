// Adding an entry by hand: which exhibitor, which animal, which class, and the rows that come of it. Pure.

import { naturalId } from "@showdesk/sync/ids";

import type { Row, ShowRow } from "../../data/desk-api.ts";
import { addingWords } from "../../text/adding-words.ts";
import { animalText } from "../../text/conflict-words.ts";
import type { ShowText } from "../../text/format.ts";
import { textAt } from "../../text/json.ts";
import { readTyped } from "../../text/typing.ts";
import { words } from "../../text/words.ts";
import type { RowChange } from "./row-change.ts";

export const PERSON_FIELDS = ["first_name", "last_name", "back_number", "club_chapter"] as const;
export const ANIMAL_FIELDS = ["species", "sex", "breed", "tag", "official_id", "name"] as const;
export type PersonField = (typeof PERSON_FIELDS)[number];
export type AnimalField = (typeof ANIMAL_FIELDS)[number];

/** An animal that the exhibitor has already. */
export interface KnownAnimal {
  id: string;
  species: string;
  label: string;
  /** The classes it is in. */
  classes: ReadonlySet<string>;
}

/** What was chosen and typed so far. */
export interface Adding {
  /** An exhibitor of the show; undefined for the one that is typed. */
  exhibitor: ShowRow | undefined;
  person: Readonly<Record<PersonField, string>>;
  animal: "new" | "none" | KnownAnimal;
  typed: Readonly<Record<AnimalField, string>>;
  class: string;
}

/** The ids of the rows that this form makes, however often it is sent. */
export interface NewIds {
  exhibitor: string;
  animal: string;
}

export type Added =
  | { state: "invalid"; faults: Readonly<Record<string, string>> }
  | { state: "ready"; changes: readonly RowChange[]; subject: string; inClass: string };

const CLOSED: ReadonlySet<string> = new Set(["judged", "official", "cancelled", "combined_into"]);

/** Classes that people enter, for an animal of this species or for a person; not those it is in. */
export function classesFor(
  classes: readonly ShowRow[],
  species: string | undefined,
  entered: ReadonlySet<string> = new Set(),
): ShowRow[] {
  const open = classes.filter(({ id, data }) => {
    const isOfAPerson = textAt(data, "kind") === "showmanship";
    const department = textAt(data, "department");
    return (
      // A class that another was broken into is filled from that one, and a championship from its classes.
      textAt(data, "family_id") === undefined &&
      textAt(data, "kind") !== "championship" &&
      !CLOSED.has(textAt(data, "status") ?? "") &&
      (species === undefined ? isOfAPerson : !isOfAPerson && (department === undefined || department === species)) &&
      !entered.has(id)
    );
  });
  return open.sort((one, other) => classText(one).localeCompare(classText(other), "en", { numeric: true }));
}

/** `101 Market Steer`. */
export function classText({ data }: ShowRow): string {
  return [textAt(data, "code"), textAt(data, "name")].filter(Boolean).join(" ");
}

/** `#176 Emma Lindqvist, Oak Hill 4-H`. */
export function personText({ data }: ShowRow): string {
  const number = typeof data["back_number"] === "number" ? data["back_number"] : undefined;
  return addingWords.person(number, nameOf(data), textAt(data, "club_chapter"));
}

const nameOf = (data: Row) => [textAt(data, "first_name"), textAt(data, "last_name")].filter(Boolean).join(" ");

/** Exhibitors by number, name or club; every word that was typed must be in one of them. */
export function exhibitorsFor(exhibitors: readonly ShowRow[], query: string): ShowRow[] {
  const wanted = query.toLowerCase().replace("#", "").split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [];
  const found = exhibitors.filter((one) => {
    const text = personText(one).toLowerCase();
    // One that was joined with another is found under that one.
    return textAt(one.data, "merged_into") === undefined && wanted.every((word) => text.includes(word));
  });
  const isNumber = (one: ShowRow) => String(one.data["back_number"] ?? "") === wanted[0];
  return found.sort(
    (one, other) =>
      Number(isNumber(other)) - Number(isNumber(one)) || nameOf(one.data).localeCompare(nameOf(other.data)),
  );
}

/** The rows to save, or what is missing. `late`: entries were closed when it was made. */
export function addedOf(
  adding: Adding,
  ids: NewIds,
  classes: readonly ShowRow[],
  { late, show }: { late: boolean; show: ShowText },
): Added {
  const faults: Record<string, string> = {};
  const changes: RowChange[] = [];
  const exhibitor = adding.exhibitor?.id ?? ids.exhibitor;
  if (adding.exhibitor === undefined) {
    const data = readAll(PERSON_FIELDS, adding.person, show, faults);
    for (const field of ["first_name", "last_name"] as const) {
      if (data[field] === undefined) faults[field] ??= words.people.person.needsName;
    }
    changes.push(insert("exhibitors", exhibitor, data));
  }
  const animal = adding.animal === "none" ? undefined : adding.animal === "new" ? ids.animal : adding.animal.id;
  if (adding.animal === "new") {
    const data = readAll(ANIMAL_FIELDS, adding.typed, show, faults);
    if (data["species"] === undefined) faults["species"] ??= addingWords.speciesMissing;
    changes.push(insert("animals", ids.animal, { exhibitor_id: exhibitor, ...data }));
  }
  const chosen = classes.find(({ id }) => id === adding.class);
  if (chosen === undefined) faults["class"] = addingWords.classMissing;
  if (Object.keys(faults).length > 0 || chosen === undefined) return { state: "invalid", faults };
  changes.push(
    insert("entries", naturalId(chosen.id, animal ?? exhibitor), {
      exhibitor_id: exhibitor,
      ...(animal !== undefined && { animal_id: animal }),
      family_id: chosen.id,
      ...(late && { is_addon: true }),
    }),
  );
  return { state: "ready", changes, subject: subjectOf(adding), inClass: classText(chosen) };
}

/** The rows taken away again, what hangs on the others first. */
export function takenAway(changes: readonly RowChange[], versions: readonly number[]): RowChange[] {
  return changes
    .map((change, place) => ({
      table: change.table,
      id: change.id,
      operation: "delete" as const,
      base_version: versions[place] ?? 1,
      data: {},
      reason: words.entries.undoReason,
    }))
    .reverse();
}

function insert(table: RowChange["table"], id: string, data: Row): RowChange {
  return { table, id, operation: "insert", base_version: 0, data };
}

/** What was typed, field by field; an empty one is no value. */
function readAll<Field extends string>(
  fields: readonly Field[],
  typed: Readonly<Record<Field, string>>,
  show: ShowText,
  faults: Record<string, string>,
): Row {
  const data: Row = {};
  for (const field of fields) {
    if (typed[field].trim() === "") continue;
    const read = readTyped(field, typed[field], show);
    if ("fault" in read) faults[field] = read.fault;
    else data[field] = read.value;
  }
  return data;
}

function subjectOf({ animal, typed, exhibitor, person }: Adding): string {
  if (animal === "none") {
    return exhibitor === undefined ? `${person.first_name} ${person.last_name}`.trim() : nameOf(exhibitor.data);
  }
  if (animal !== "new") return animal.label;
  const tag = typed.tag.trim().toUpperCase();
  return tag === "" ? animalText(typed.breed.trim(), typed.sex.trim(), typed.species) : `#${tag}`;
}
