// What a clash is called in sentences: one for each kind, with the words of its buttons.

import type { ConflictView, Row } from "../data/desk-api.ts";
import { choiceText, fieldRows, fieldText, isShown } from "./fields.ts";
import { value, type ShowText } from "./format.ts";
import { isSame, textAt, type Json } from "./json.ts";
import { listed, words } from "./words.ts";

/** Who stands on the two sides, and what the record is. */
export interface ConflictText {
  /** `#1042`, or `Tess Holloway`, or `this animal`. */
  subject: string;
  /** `Angus steer`. */
  about: string;
  author: string;
  /** `Maria’s phone`. */
  phone: string;
  other: string;
  /** Where the other value came from: the laptop, or another phone. */
  otherDevice: string;
  otherIsPhone: boolean;
}

export function conflictText(view: ConflictView): ConflictText {
  const author = textAt(view.author, "name") ?? words.history.somebody;
  const other = textAt(view.server_author, "name") ?? words.history.somebody;
  const otherIsPhone = textAt(view.server_author, "device_kind") === "phone";
  return {
    subject: subjectName(view.table_name, view.subject, rowOf(view)),
    about: subjectAbout(view.subject, rowOf(view)),
    author,
    phone: phoneName(author, textAt(view.device, "name")),
    other,
    otherDevice: otherIsPhone ? phoneName(other, textAt(view.server_author, "device")) : LAPTOP,
    otherIsPhone,
  };
}

const LAPTOP = "the laptop";

/** A phone is called after its person, unless its own name says that it is one. */
export function phoneName(person: string, device: string | undefined): string {
  if (device !== undefined && /phone|tablet|ipad/i.test(device)) return device;
  const name = device ?? person;
  return `${name}’s phone`;
}

/** `#1042` for an animal with a tag, the name of anything else. */
export function subjectName(table: string, subject: Json, row?: Row): string {
  const part = (key: string) => textAt(subject, key) ?? textAt(row, key);
  const tag = part("tag") ?? part("official_id");
  if (tag !== undefined) return `#${tag}`;
  const person = [part("first_name"), part("last_name")].filter(Boolean).join(" ");
  if (table === "exhibitors" && person !== "") return person;
  const name = part("name") ?? part("title") ?? (typeof subject === "string" && subject !== "" ? subject : undefined);
  return name ?? `this ${words.table(table)}`;
}

/** `Angus steer, Emma Lindqvist, Oak Hill 4-H`, as far as known. */
export function subjectAbout(subject: Json, row?: Row): string {
  const part = (key: string) => textAt(subject, key) ?? textAt(row, key);
  const animal = animalText(part("breed"), part("sex"), part("species"));
  return [animal, part("exhibitor"), part("club_chapter")]
    .filter((text) => text !== undefined && text !== "")
    .join(", ");
}

/** `Angus steer`; the species only where nothing better is known. */
export function animalText(
  breed: string | null | undefined,
  sex: string | null | undefined,
  species: string | null | undefined,
): string {
  const parts = [breed, sex].filter((part) => part !== null && part !== undefined && part !== "");
  if (parts.length > 0) return parts.join(" ");
  return species === null || species === undefined ? "" : choiceText(species);
}

/** The one sentence above everything. */
export function conflictSentence(view: ConflictView): string {
  const text = conflictText(view);
  const fields = listed(fieldNames(view.contested));
  const changers = text.author === text.other ? `${text.author}, on two devices,` : "Two people";
  switch (view.kind) {
    case "update_update":
      return `${changers} changed the ${fields} of ${text.subject} ${whileAway(view, text.phone)}.`;
    case "insert_insert":
      return `${changers} entered ${text.subject} with a different ${fields}.`;
    case "insert_deleted":
      return `${text.author} added ${text.subject}, which ${text.other} had deleted.`;
    case "update_deleted":
      return `${text.author} changed ${text.subject}, which ${text.other} has deleted.`;
    case "delete_updated":
      return `${text.author} deleted ${text.subject}, which ${text.other} has changed since.`;
    case "update_missing":
      return `${text.author} changed ${text.subject}, which the laptop no longer has.`;
    case "restored_server":
      return `${text.phone} remembers a change to ${text.subject} that the laptop lost when it was restored.`;
    case "unique_violation":
      return `${text.author} gave ${text.subject} a ${fields} that another ${words.table(view.table_name)} has.`;
    default:
      return `${text.author}’s entry about ${text.subject} contradicts what the laptop has.`;
  }
}

/** Under a minute nobody was away: both typed at the same time. */
const AWAY_MS = 60_000;

function whileAway(view: ConflictView, phone: string): string {
  const typed = view.timeline.find((point) => point.what === "client");
  const arrived = view.timeline.find((point) => point.what === "arrived");
  if (typed === undefined || arrived === undefined) return "at the same time";
  const gap = Date.parse(arrived.at) - Date.parse(typed.at);
  return gap >= AWAY_MS ? `while ${phone} was away from Wi-Fi` : "at the same time";
}

function fieldNames(fields: readonly string[]): string[] {
  return fieldRows(fields).map((row) => lowerFirst(fieldText(row[0] ?? "").label));
}

/** Sentence case inside a sentence; `ID check` keeps its capitals. */
export function lowerFirst(text: string): string {
  return /^[A-Z][A-Z]/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

/** Whether a person chooses field by field, or for the record as a whole. */
export function decidesWholeRecord(kind: string): boolean {
  return WHOLE_RECORD[kind] !== undefined;
}

/** The words of the two buttons. */
export function sideButtons(kind: string): { phone: string; laptop: string } {
  return WHOLE_RECORD[kind] ?? { phone: words.checks.usePhones, laptop: words.checks.useLaptops };
}

const WHOLE_RECORD: Readonly<Record<string, { phone: string; laptop: string }>> = {
  delete_updated: { phone: "Delete it", laptop: "Keep it" },
  insert_deleted: { phone: "Add it again", laptop: "Keep deleted" },
  update_deleted: { phone: "Bring it back", laptop: "Keep deleted" },
  update_missing: { phone: "Bring it back", laptop: "Leave it out" },
};

/** What each side did to a record as a whole. */
export function wholeRecordSides(view: ConflictView, show: ShowText): { phone: string; laptop: string } {
  const phoneChanges = changesText(view.base_data, view.client_data, show);
  switch (view.kind) {
    case "delete_updated":
      return { phone: "Deleted", laptop: changesText(view.base_data, view.server_data, show) };
    case "update_missing":
      return { phone: phoneChanges, laptop: "Not here" };
    default:
      return { phone: phoneChanges, laptop: "Deleted" };
  }
}

/** `Tag 0421, pen B12`: what is different on one side. */
export function changesText(before: Row | undefined, after: Row | undefined, show: ShowText): string {
  const changed = Object.keys(after ?? {}).filter(
    (field) => isShown(field) && !isSame(before?.[field], after?.[field]),
  );
  const parts = fieldRows(changed).flatMap((row) => {
    const field = row[0];
    return field === undefined ? [] : [`${fieldText(field).label} ${value(field, after?.[field], show)}`];
  });
  return parts.length === 0 ? "Kept as it was" : parts.join(", ");
}

/** `Weight 621 / 612 lb`: what differs, for the list. */
export function differenceText(view: ConflictView, show: ShowText): string {
  if (decidesWholeRecord(view.kind)) {
    const sides = wholeRecordSides(view, show);
    return `${sides.phone} / ${lowerFirst(sides.laptop)}`;
  }
  const parts = fieldRows(view.contested).flatMap((row) => {
    const field = row[0];
    if (field === undefined) return [];
    const [phone, laptop] = [view.client_data?.[field], view.server_data?.[field]];
    return [`${fieldText(field).label} ${value(field, phone, show)} / ${value(field, laptop, show)}`];
  });
  return parts.join(", ");
}

function rowOf(view: ConflictView): Row | undefined {
  return view.server_data ?? view.base_data ?? view.client_data;
}
