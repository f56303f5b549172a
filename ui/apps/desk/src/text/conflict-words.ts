// What a clash is called in sentences: one for each kind, with the words of its buttons.

import type { ConflictView, Row } from "../data/desk-api.ts";
import { choiceText, fieldRows, fieldText, isShown } from "./fields.ts";
import { decimal, value, type ShowText } from "./format.ts";
import { isCard, placesTwice } from "./group-words.ts";
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
  /** Whether anybody stands on the other side. */
  hasOther: boolean;
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
    // A card that contradicts itself contradicts nobody else.
    hasOther: textAt(view.server_author, "name") !== undefined && view.rule !== "C8",
  };
}

const LAPTOP = "the laptop";

/** `Maria` of `Maria Ruiz`, `Dr. Hale` of `Dr. Ruth Hale`: for a line that has little room. */
export function firstName(name: string): string {
  const parts = name.split(" ");
  const [first = name] = parts;
  return first.endsWith(".") && parts.length > 1 ? `${first} ${parts.at(-1) ?? ""}` : first;
}

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
  const name =
    part("name") ??
    part("title") ??
    classOf(table, subject) ??
    (typeof subject === "string" && subject !== "" ? subject : undefined);
  return name ?? `this ${words.table(table)}`;
}

/** Rows that are called after their class. */
const OF_CLASS: readonly string[] = ["class_calls", "classes", "placings"];

function classOf(table: string, subject: Json): string | undefined {
  return OF_CLASS.includes(table) ? textAt(subject, "class") : undefined;
}

/** `placing`, for a row that is called after something else; empty for what is called by its own name. */
export function kindBeside(table: string, name: string): string {
  const word = words.table(table);
  return OWN_NAME.includes(table) || name === `this ${word}` ? "" : word;
}

const OWN_NAME: readonly string[] = ["animals", "classes", "exhibitors", "rings", "shows"];

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
export function conflictSentence(view: ConflictView, show: ShowText): string {
  if (view.kind === "rule") return ruleSentence(view, show);
  const text = conflictText(view);
  if (view.records !== undefined) return groupSentence(view, text);
  const fields = listed(fieldNames(view.contested));
  switch (view.kind) {
    case "update_update":
      return `${changers(text)} changed the ${fields} of ${text.subject} ${whileAway(view, text.phone)}.`;
    case "insert_insert":
      return `${changers(text)} entered ${text.subject} with a different ${fields}.`;
    case "insert_deleted":
      return `${text.author} added ${text.subject}, which ${text.other} had deleted.`;
    case "update_deleted":
      return `${text.author} changed ${text.subject}, which ${text.other} has deleted.`;
    case "delete_updated":
      return `${text.author} deleted ${text.subject}, which ${text.other} has changed since.`;
    case "update_missing":
      return `${text.author} changed ${text.subject}, which the laptop no longer has.`;
    case "restored_server":
      return view.contested.length === 0
        ? `${text.phone} deleted ${text.subject} before the laptop was restored, and the laptop has it again.`
        : `${text.phone} remembers a change to ${text.subject} that the laptop lost when it was restored.`;
    case "unique_violation":
      return `${text.author} gave ${recordName(view)} the ${fields} that ${holderName(view)} has.`;
    case "missing_reference":
      return `${text.author}’s entry about ${recordName(view)} belongs to something that never reached the laptop.`;
    case "merged_invalid":
      return `The ${fields} of ${text.subject} from ${text.phone} and from ${text.otherDevice} do not fit together.`;
    default:
      return `${text.author}’s entry about ${text.subject} contradicts what the laptop has.`;
  }
}

function changers(text: ConflictText): string {
  return text.author === text.other ? `${text.author}, on two devices,` : "Two people";
}

/** What a rule of the show found. */
function ruleSentence(view: ConflictView, show: ShowText): string {
  const { subject, author } = conflictText(view);
  const name = textAt(view.subject, "class") ?? textAt(rowOf(view), "name") ?? "this class";
  switch (view.rule) {
    case "C1": {
      const text = conflictText(view);
      if (isAway(view)) return `${changers(text)} changed the weight of ${subject} ${whileAway(view, text.phone)}.`;
      const [phone, laptop] = [view.client_data, view.server_data].map((row) => value(WEIGHT, row?.[WEIGHT], show));
      const tag = subject.startsWith("#") ? `tag ${subject.slice(1)}` : subject;
      return `Two weights for ${tag}: ${phone ?? words.none} / ${laptop ?? words.none}.`;
    }
    case "C6":
      return view.records === undefined
        ? `${placedName(view, show)} was placed in ${name}, and now ${author} marked it out.`
        : `${author}’s result card for ${name} places an animal that is marked out.`;
    case "C7":
      return `Two people posted different result cards for ${name}.`;
    case "C8": {
      const twice = placesTwice(view).map(String);
      if (twice.length === 0) return `${author}’s result card for ${name} repeats a place or an animal of the class.`;
      return `${author}’s result card for ${name} gives ${twice.length === 1 ? "place" : "places"} ${listed(twice)} twice.`;
    }
    case "C14":
      return `${subject} is placed, and its weigh-back is too far from its weight.`;
    default:
      return `${author}’s entry about ${subject} breaks a rule of the show.`;
  }
}

/** The animal of a placing: the clash only knows its entry. */
function placedName(view: ConflictView, show: ShowText): string {
  const tag = textAt(view.subject, "tag");
  const name = tag ?? show.names[textAt(rowOf(view), "entry_id") ?? ""];
  if (name === undefined) return "An animal";
  return /^[0-9A-Z-]+$/.test(name) ? `#${name}` : name;
}

const WEIGHT = "official_weight_x10";

function groupSentence(view: ConflictView, text: ConflictText): string {
  const count = Object.keys(view.records ?? {}).length;
  const what = isCard(view) ? "placings" : "records";
  const one = count === 1 ? `a ${what.slice(0, -1)}` : `${String(count)} ${what} together`;
  if (view.kind === "missing_reference") {
    return `${text.author} saved ${one}, and something they belong to never reached the laptop.`;
  }
  return `${text.author} saved ${one} on ${text.phone}, and the laptop has other values.`;
}

/** The entry that came from the phone, never called after the row it clashes with. */
function recordName(view: ConflictView): string {
  if (view.kind !== "unique_violation") return nameOr(view, view.subject, view.client_data, "the new");
  return nameOr(view, view.subject, without(view.client_data, view.contested), "the new");
}

/** The row that has the value already. */
function holderName(view: ConflictView): string {
  // People know an animal by its tag; without one, by what it is rather than by the long official number.
  return nameOr(view, null, without(view.server_data, [...view.contested, "official_id"]), "another");
}

/** A row without the values that two rows want: they would name both alike. */
function without(row: Row | undefined, fields: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([field]) => !fields.includes(field)));
}

/** Its name; without one, `another Angus steer`. */
function nameOr(view: ConflictView, subject: Json, row: Row | undefined, article: string): string {
  const word = words.table(view.table_name);
  const name = subjectName(view.table_name, subject, row);
  if (name !== `this ${word}`) return name;
  const about = view.table_name === "animals" ? subjectAbout(null, row) : "";
  if (about !== "") return `the ${article === "another" ? "earlier" : "new"} ${about}`;
  return `${article} ${word}`;
}

/** Under a minute nobody was away: both typed at the same time. */
const AWAY_MS = 60_000;

function whileAway(view: ConflictView, phone: string): string {
  return isAway(view) ? `while ${phone} was away from Wi-Fi` : "at the same time";
}

function isAway(view: ConflictView): boolean {
  const typed = view.timeline.find((point) => point.what === "client");
  const arrived = view.timeline.find((point) => point.what === "arrived");
  if (typed === undefined || arrived === undefined) return false;
  return Date.parse(arrived.at) - Date.parse(typed.at) >= AWAY_MS;
}

function fieldNames(fields: readonly string[]): string[] {
  return fieldRows(fields).map((row) => lowerFirst(fieldText(row[0] ?? "").label));
}

/** Sentence case inside a sentence; `ID check` keeps its capitals. */
export function lowerFirst(text: string): string {
  return /^[A-Z][A-Z]/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

type View = Pick<ConflictView, "kind" | "rule" | "contested" | "records" | "server_data">;

/** Whether a person chooses field by field, or for the record as a whole. */
export function decidesWholeRecord(view: Pick<View, "kind" | "contested" | "server_data">): boolean {
  if (view.kind === "restored_server") return view.server_data === undefined || view.contested.length === 0;
  return WHOLE_RECORD[view.kind] !== undefined;
}

/** The words of the two buttons. */
export function sideButtons(view: View): { phone: string; laptop: string } {
  if (view.records !== undefined) return isCard(view) ? CARD : GROUP;
  if (view.kind === "rule") return RULES[view.rule ?? ""] ?? VALUES;
  if (view.kind === "restored_server" && decidesWholeRecord(view)) {
    return { phone: "Bring it back", laptop: view.contested.length === 0 ? "Keep it" : "Leave it out" };
  }
  return WHOLE_RECORD[view.kind] ?? (view.kind === "unique_violation" ? UNIQUE : VALUES);
}

const VALUES = { phone: words.checks.usePhones, laptop: words.checks.useLaptops };
const GROUP = { phone: "Use phone’s", laptop: "Keep laptop’s" };
const CARD = { phone: "Use phone’s card", laptop: "Keep laptop’s" };
const UNIQUE = { phone: "Give here", laptop: "Keep there" };

const RULES: Readonly<Record<string, { phone: string; laptop: string }>> = {
  C6: { phone: "Take it out", laptop: "Let it stand" },
  C14: { phone: "Disqualify", laptop: "Leave it in" },
};

const WHOLE_RECORD: Readonly<Record<string, { phone: string; laptop: string }>> = {
  delete_updated: { phone: "Delete it", laptop: "Keep it" },
  insert_deleted: { phone: "Add it again", laptop: "Keep deleted" },
  missing_reference: { phone: "Save it now", laptop: "Leave it out" },
  update_deleted: { phone: "Bring it back", laptop: "Keep deleted" },
  update_missing: { phone: "Bring it back", laptop: "Leave it out" },
};

/** What each way does, one sentence a way, where the values do not say it themselves. */
export function choiceHints(view: ConflictView): string[] {
  const { author } = conflictText(view);
  if (view.records !== undefined) return groupHints(view);
  switch (view.kind === "rule" ? view.rule : view.kind) {
    case "C1":
      return [
        "The weight you do not choose stays in the history, struck through. Often one was read with the wrong tag: compare the times.",
      ];
    case "C6":
      return ["Take it out: no place, code DQ. Let it stand: the place stays; the reason to be out stays too."];
    case "C14":
      return ["Disqualify: the entry is out. Leave it in: the entry and its place stay as they are."];
    case "unique_violation": {
      const [here, there] = [recordName(view), holderName(view)];
      const hints = [`Give here: ${here} gets it, ${there} is left without. Keep there: ${here} goes without.`];
      if (canBeSame(view)) hints.push(words.checks.sameMeans);
      return hints;
    }
    case "missing_reference":
      return ["Save it now works once what it belongs to is here. Leave it out: nothing of this entry is saved."];
    case "update_deleted":
      return [`Bring it back: it is there again, with what ${author} changed. Keep deleted: the change is not saved.`];
    case "insert_deleted":
      return [`Add it again: it is there as ${author} entered it. Keep deleted: nothing is saved.`];
    case "delete_updated":
      return ["Delete it: the changes on the laptop go with it. Keep it: it stays as the laptop has it."];
    case "update_missing":
      return ["Bring it back: it is made again as the phone knows it. Leave it out: nothing is saved."];
    case "restored_server":
      return view.contested.length === 0
        ? ["Keep it leaves everything as it is. To remove it, scratch or delete it on its own page."]
        : ["The laptop had taken this before it was restored. Nothing of it is saved until you decide."];
    default:
      return [];
  }
}

function groupHints(view: ConflictView): string[] {
  if (view.rule === "C8")
    return ["Keep the laptop’s card, or type the right places. An empty place stays as on the laptop."];
  const hints = [`One decision for all ${String(Object.keys(view.records ?? {}).length)} rows.`];
  if (!isCard(view)) {
    hints.push("Keep laptop’s leaves what is disputed as it is; what only the phone has on other rows is joined.");
    return hints;
  }
  hints.push(
    "An animal that only the laptop’s card places keeps its place. Type places: an empty one stays as on the laptop.",
  );
  return hints;
}

/** Questions to the entry's author that are ready to be sent. */
export function questions(view: ConflictView): string[] {
  const { subject } = conflictText(view);
  const fields = fieldRows(view.contested).flatMap((row) => row[0] ?? []);
  if (view.records !== undefined || decidesWholeRecord(view)) return [words.checks.askWhole(subject)];
  const asked = fields.map((field) => {
    const text = fieldText(field);
    return text.kind === "weight"
      ? words.checks.askWeight(subject)
      : words.checks.askField(subject, lowerFirst(text.label));
  });
  return [...asked, words.checks.askWhole(subject)];
}

/** Whether two rows that want one value may turn out to be one thing. */
export function canBeSame(view: Pick<ConflictView, "kind" | "records" | "other_record_id">): boolean {
  return view.kind === "unique_violation" && view.records === undefined && typeof view.other_record_id === "string";
}

/** `Tag read 1042`: how the tag came to a weight, from the scale or from somebody's hand. */
export function weighInText(view: ConflictView, side: "client" | "server"): string {
  const weighIn = view.weigh_ins?.[side];
  const text = conflictText(view);
  const device = side === "client" ? text.phone : text.otherDevice;
  if (!weighIn?.tag_read) return device;
  const isRead = weighIn.source === "scale" || (weighIn.scale ?? "") !== "";
  return isRead ? words.checks.tagRead(weighIn.tag_read) : words.checks.tagTyped(weighIn.tag_read);
}

/** Who holds each side of a value that must be unique. */
export function uniqueSides(view: ConflictView): { phone: string; laptop: string } | undefined {
  if (view.kind !== "unique_violation" || view.records !== undefined) return undefined;
  return { phone: recordName(view), laptop: holderName(view) };
}

/** What each side did to a record as a whole. */
export function wholeRecordSides(view: ConflictView, show: ShowText): { phone: string; laptop: string } {
  const phoneChanges = changesText(view.base_data, view.client_data, show);
  switch (view.kind) {
    case "delete_updated":
      return { phone: "Deleted", laptop: changesText(view.base_data, view.server_data, show) };
    case "missing_reference":
      return { phone: phoneChanges, laptop: view.server_data === undefined ? "Not here" : "Unchanged" };
    case "restored_server":
      if (view.contested.length === 0) return { phone: "Deleted", laptop: "Here" };
      return { phone: phoneChanges, laptop: "Not here" };
    case "update_missing":
      return { phone: phoneChanges, laptop: "Not here" };
    default:
      return { phone: phoneChanges, laptop: "Deleted" };
  }
}

/** `Tag 0421, pen B12`: what is different on one side. */
export function changesText(before: Row | undefined, after: Row | undefined, show: ShowText): string {
  const changed = Object.keys(after ?? {}).filter(
    (field) => isShown(field) && !isPointer(field) && !isSame(before?.[field], after?.[field]),
  );
  const parts = fieldRows(changed).flatMap((row) => {
    const field = row[0];
    return field === undefined ? [] : [`${fieldText(field).label} ${value(field, after?.[field], show)}`];
  });
  return parts.length === 0 ? "Kept as it was" : parts.join(", ");
}

const UNTOLD: readonly string[] = ["kind", "source", "unit"];

/** What a row belongs to and where it came from say nothing about what it is. */
function isPointer(field: string): boolean {
  return ["record", "person"].includes(fieldText(field).kind) || UNTOLD.includes(field);
}

/** `Weight 621 / 612 lb`: what differs, for the list. */
export function differenceText(view: ConflictView, show: ShowText): string {
  if (view.records !== undefined) {
    const count = Object.keys(view.records).length;
    return `${String(count)} ${isCard(view) ? "placings" : "records"}, one decision`;
  }
  if (view.rule === "C6") return words.checks.outOrPlaced(value("place", view.server_data?.["place"], show));
  if (view.kind === "unique_violation") {
    const field = view.contested[0] ?? "";
    return `${fieldText(field).label} ${value(field, view.client_data?.[field], show)}, wanted twice`;
  }
  if (decidesWholeRecord(view)) {
    const sides = wholeRecordSides(view, show);
    return `${sides.phone} / ${lowerFirst(sides.laptop)}`;
  }
  const parts = fieldRows(view.contested).flatMap((row) => {
    const field = row[0];
    if (field === undefined) return [];
    const [phone, laptop] = [view.client_data?.[field], view.server_data?.[field]];
    const isWeights = fieldText(field).kind === "weight" && typeof phone === "number" && typeof laptop === "number";
    const first = isWeights ? decimal(phone) : value(field, phone, show);
    return [`${fieldText(field).label} ${first} / ${value(field, laptop, show)}`];
  });
  return parts.join(", ");
}

/** `Pen S32 from Ana`: what was joined, and whose it was. */
export function joinedText(view: ConflictView, show: ShowText): string {
  const text = conflictText(view);
  const parts = fieldRows([...view.contested, ...view.clean]).flatMap((row) => {
    const field = row[0];
    if (field === undefined) return [];
    const isPhones = view.kept?.[field] !== "server";
    const kept = value(field, (isPhones ? view.client_data : view.server_data)?.[field], show);
    return [words.checks.joinedFrom(fieldText(field).label, kept, firstName(isPhones ? text.author : text.other))];
  });
  return parts.length === 0 ? words.checks.joinedByItself : lowerRest(parts).join(", ");
}

function lowerRest(parts: readonly string[]): string[] {
  return parts.map((part, index) => (index === 0 ? part : lowerFirst(part)));
}

function rowOf(view: ConflictView): Row | undefined {
  // The desk's side of a value that must be unique is another row.
  if (view.kind === "unique_violation") return view.client_data;
  return view.server_data ?? view.base_data ?? view.client_data;
}
