// Everything that was saved about an animal, as lines people read: who saved what, when, from where.
//
// One act of a person may write several rows (a weight also changes the animal's own weight): it is one line.

import type { HistoryItem } from "../../data/desk-api.ts";
import { lowerFirst } from "../../text/conflict-words.ts";
import { fieldRows, fieldText, isShown } from "../../text/fields.ts";
import { value, type ShowText } from "../../text/format.ts";
import { isSame, textAt, type Json } from "../../text/json.ts";
import { listed, words } from "../../text/words.ts";
import { isCounted } from "./restore.ts";

/** One stored state of one row. */
export interface Version extends HistoryItem {
  table: string;
  id: string;
}

/** One field of one row, before and after. */
export interface Change {
  key: string;
  label: string;
  from: string;
  to: string;
}

export interface HistoryLine {
  key: string;
  at: string;
  text: string;
  /** Where it came from, for its icon and its words. */
  source: "phone" | "desk" | "file";
  who: string;
  device: string | undefined;
  reason: string | undefined;
  changes: readonly Change[];
  /** The first state of the row: everything in it was new. */
  isFirst: boolean;
  /** The state that tells most of the act. */
  lead: Version;
  /** The state of the animal or entry that the act left, which a person can bring back. */
  left: Version | undefined;
}

/** How much a row tells of what the person did. */
const TELLS: readonly string[] = ["weigh_ins", "placings", "entries", "animals"];

/** Rows that are kept for ever as they were written: nothing of them is brought back. */
export function canRestore(version: Version): boolean {
  return (version.table === "animals" || version.table === "entries") && !version.deleted;
}

/** The newest state of each row. */
export function newestOf(versions: readonly Version[]): ReadonlyMap<string, Version> {
  const newest = new Map<string, Version>();
  for (const version of versions) {
    const known = newest.get(version.id);
    if (known === undefined || known.version < version.version) newest.set(version.id, version);
  }
  return newest;
}

/** Lines, newest first. */
export function historyLines(versions: readonly Version[], show: ShowText): HistoryLine[] {
  const before = new Map(versions.map((version) => [stateKey(version.id, version.version), version]));
  const previous = (version: Version) => before.get(stateKey(version.id, version.version - 1));
  const acts = new Map<string, Version[]>();
  for (const version of [...versions].sort((a, b) => b.seq - a.seq)) {
    const key = version.op_id ?? stateKey(version.id, version.version);
    acts.set(key, [...(acts.get(key) ?? []), version]);
  }
  return [...acts].map(([key, act]) => lineOf(key, act, previous, show));
}

function stateKey(id: string, version: number): string {
  return `${id} ${String(version)}`;
}

function lineOf(
  key: string,
  act: readonly Version[],
  previous: (version: Version) => Version | undefined,
  show: ShowText,
): HistoryLine {
  const ordered = [...act].sort((a, b) => TELLS.indexOf(a.table) - TELLS.indexOf(b.table));
  const lead = ordered[0];
  if (lead === undefined) throw new Error("an act without a version");
  const who = textAt(lead.actor, "name") ?? words.history.somebody;
  const reason = lead.reason ?? undefined;
  const isFile = reason === FILE_REASON;
  return {
    key,
    at: lead.at,
    text: isFile ? words.history.imported(words.table(lead.table)) : sentence(who, lead, previous(lead), show),
    source: isFile ? "file" : textAt(lead.device, "kind") === "phone" ? "phone" : "desk",
    who,
    device: textAt(lead.device, "name"),
    reason: isFile ? undefined : reason,
    changes: ordered.flatMap((version) => changesOf(version, previous(version), show)),
    isFirst: lead.version === 1,
    lead,
    left: ordered.find(canRestore),
  };
}

/** What the desk writes beside each row of an imported file. */
const FILE_REASON = "Entries file";

function sentence(who: string, item: Version, before: Version | undefined, show: ShowText): string {
  if (item.table === "weigh_ins") return weighingText(who, item, before, show);
  if (item.deleted) return words.history.deleted(who);
  if (before === undefined) {
    if (item.version === 1) return words.history.addedTo(who, item.table);
    return words.history.set(who, words.table(item.table));
  }
  if (before.deleted) return words.history.restored(who);
  const changed = changedFields(item, before);
  if (changed.length === 0) return words.history.checked(who);
  const told = changed.filter((field) => field !== "arrived_at" && field !== "arrived_by");
  const parts = fieldRows(told).map((row) => changeText(row[0] ?? "", item.snapshot, show));
  const arrived = changed.includes("arrived_at");
  if (arrived && item.snapshot["arrived_at"] === null) return words.history.notArrived(who);
  if (arrived) return words.history.checkedIn(who, listed(parts));
  return words.history.set(who, listed(parts));
}

function weighingText(who: string, item: Version, before: Version | undefined, show: ShowText): string {
  const weight = value("weight_x10", item.snapshot["weight_x10"], show);
  if (before === undefined) return words.history.weighed(who, weight, textAt(item.snapshot, "kind") === "reweigh");
  return words.history.weightTakenBack(who, weight);
}

/** What is other than before, without what the desk counts by itself. */
function changedFields(item: Version, before: Version): string[] {
  return Object.keys(item.snapshot).filter(
    (field) => isShown(field) && !isCounted(item.table, field) && !isSame(item.snapshot[field], before.snapshot[field]),
  );
}

/** Old and new of every field that people see. A first state has no old one: only what it holds is told. */
export function changesOf(item: Version, before: Version | undefined, show: ShowText): Change[] {
  return Object.keys(item.snapshot)
    .filter((field) => isShown(field) && !isSame(item.snapshot[field], before?.snapshot[field]))
    .map((field) => ({
      key: `${item.id} ${field}`,
      label: fieldText(field).label,
      from: before === undefined ? "" : value(field, before.snapshot[field], show),
      to: value(field, item.snapshot[field], show),
    }));
}

function changeText(field: string, snapshot: Readonly<Record<string, Json>>, show: ShowText): string {
  const label = lowerFirst(fieldText(field).label);
  const json = snapshot[field];
  if (json === null || json === undefined) return words.history.cleared(label);
  return field === "note" ? words.history.note(value(field, json, show)) : `${label} ${value(field, json, show)}`;
}
