// A record's versions as lines people read: who saved what.

import type { HistoryItem } from "../../data/desk-api.ts";
import { lowerFirst } from "../../text/conflict-words.ts";
import { fieldRows, fieldText, isShown } from "../../text/fields.ts";
import { value, type ShowText } from "../../text/format.ts";
import { isSame, textAt, type Json } from "../../text/json.ts";
import { listed, words } from "../../text/words.ts";

export interface HistoryLine {
  version: number;
  at: string;
  text: string;
  reason: string | undefined;
  fromPhone: boolean;
}

/** Lines from versions, newest first as they come. */
export function historyLines(items: readonly HistoryItem[], show: ShowText): HistoryLine[] {
  return items.map((item, index) => ({
    version: item.version,
    at: item.at,
    text: lineText(item, items[index + 1], show),
    reason: item.reason ?? undefined,
    fromPhone: textAt(item.device, "kind") === "phone",
  }));
}

function lineText(item: HistoryItem, before: HistoryItem | undefined, show: ShowText): string {
  const who = textAt(item.actor, "name") ?? words.history.somebody;
  if (before === undefined) return item.version === 1 ? words.history.added(who) : words.history.set(who, "");
  if (item.deleted) return words.history.deleted(who);
  if (before.deleted) return words.history.restored(who);
  const changed = Object.keys(item.snapshot).filter(
    (field) => isShown(field) && !isSame(item.snapshot[field], before.snapshot[field]),
  );
  if (changed.length === 0) return words.history.checked(who);
  return words.history.set(who, listed(fieldRows(changed).map((row) => changeText(row[0] ?? "", item.snapshot, show))));
}

function changeText(field: string, snapshot: Readonly<Record<string, Json>>, show: ShowText): string {
  const label = lowerFirst(fieldText(field).label);
  const json = snapshot[field];
  if (json === null || json === undefined) return words.history.cleared(label);
  return `${label} ${value(field, json, show)}`;
}
