// An entry of a phone's file in words: which record, what was entered, and what becomes of it.

import type { RescueItem } from "../../data/desk-api.ts";
import { changesText, subjectAbout, subjectName } from "../../text/conflict-words.ts";
import { fieldText } from "../../text/fields.ts";
import type { ShowText } from "../../text/format.ts";
import { words } from "../../text/words.ts";

/** What becomes of an entry, as its mark says it. */
export type Fate = keyof typeof words.rescue.verdict;

export function fateOf({ result }: RescueItem): Fate {
  if (result === undefined) return "left";
  if (result.replayed) return "known";
  switch (result.verdict) {
    case "applied":
    case "merged":
      return "new";
    case "noop":
      return "same";
    case "conflict":
      return "conflict";
    case "held":
      return result.conflict_id ? "conflict" : "waits";
    case "rejected":
    case "retry":
    case "unknown":
      return "refused";
  }
}

/** `#1042`, or what kind of record it is. */
export function subjectOf(item: RescueItem): string {
  return subjectName(item.table_name, item.subject, item.data);
}

/** `Angus steer, Emma Lindqvist`. */
export function aboutOf(item: RescueItem): string {
  return subjectAbout(item.subject, item.data);
}

/** `Weight 1,235 lb, weighed at 9:43`: the values, without what only points to other records. */
export function whatOf(item: RescueItem, show: ShowText): string {
  const told = Object.entries(item.data).filter(([field]) => !["record", "person"].includes(fieldText(field).kind));
  if (item.operation === "delete" || told.length === 0) return words.tableTitle(item.table_name);
  return changesText(undefined, Object.fromEntries(told), show);
}
