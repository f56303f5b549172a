// What an entry that was not accepted is called, and why it was not.

import type { QueueItem } from "../data/desk-api.ts";
import { kindBeside, subjectAbout, subjectName } from "./conflict-words.ts";
import { fieldRows, fieldText, isShown } from "./fields.ts";
import { value, type ShowText } from "./format.ts";
import { words } from "./words.ts";

/** `#7008`, or `this call`. */
export function attentionSubject(item: QueueItem): string {
  const { op } = item;
  return subjectName(op.table_name, item.subject, { ...op.base, ...(op.operation === "insert" ? op.data : {}) });
}

/** `Boer wether`; else the kind of record. */
export function attentionAbout(item: QueueItem): string {
  const about = subjectAbout(item.subject, item.op.base).split(",")[0] ?? "";
  return about === "" ? kindBeside(item.op.table_name, attentionSubject(item)) : about;
}

/** The sentence above everything. */
export function attentionSentence(item: QueueItem): string {
  const [who, subject] = [item.author.name, attentionSubject(item)];
  const isNamed = !subject.startsWith("this ");
  const what = isNamed ? subject : words.table(item.op.table_name);
  if (item.verdict === "held") return words.attention.waits(who, isNamed ? subject : `a ${what}`);
  if (item.late) return words.attention.late(who, isNamed ? subject : `a ${what}`);
  switch (item.op.operation) {
    case "insert":
      return words.attention.insert(who, isNamed ? words.attention.of(words.table(item.op.table_name), subject) : what);
    case "delete":
      return words.attention.delete(who, subject);
    default:
      return words.attention.update(who, subject);
  }
}

export function attentionReason(item: QueueItem): string {
  if (item.verdict === "held") return words.attention.waitsFor;
  const { error } = item;
  if (!error) return "";
  const detail = error.detail.charAt(0).toUpperCase() + error.detail.slice(1);
  return words.attention.reason(error.code, item.author.name, /[.!?]$/.test(detail) ? detail : `${detail}.`);
}

/** Why, in the few words that a line of the list has room for. */
export function attentionShort(item: QueueItem): string {
  if (item.verdict === "held") return words.attention.shortWaits;
  return words.attention.short[item.error?.code ?? ""] ?? words.attention.shortOther;
}

/** `Tag G-771`: what was sent, for the list. */
export function attentionWhat(item: QueueItem, show: ShowText): string {
  const fields = Object.keys(item.op.data).filter((field) => isShown(field) && !UNTOLD.includes(fieldText(field).kind));
  const parts = fieldRows(fields).flatMap((row) => {
    const field = row[0];
    if (field === undefined) return [];
    const text = value(field, item.op.data[field], show);
    return [field === "kind" ? text : `${fieldText(field).label} ${text}`];
  });
  return parts.length === 0 ? words.tableTitle(item.op.table_name) : parts.join(", ");
}

/** What a line has no room for, or what says nothing there. */
const UNTOLD: readonly string[] = ["record", "person", "instant"];
