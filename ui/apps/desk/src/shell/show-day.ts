// Which day of the show it is, in the show's own time zone.

import type { Row } from "../data/desk-api.ts";
import { date, formatter, type ShowText } from "../text/format.ts";
import { textAt } from "../text/json.ts";
import { words } from "../text/words.ts";

const DAY_MS = 24 * 3600 * 1000;

/** `Friday, day 2 of 4`, `Starts in 3 days`, `Ended 12 Aug 2026`; nothing without dates. */
export function showDay(show: Row | undefined, text: ShowText): string | undefined {
  const starts = textAt(show, "starts_on");
  const ends = textAt(show, "ends_on") ?? starts;
  if (starts === undefined || ends === undefined) return undefined;
  const today = dayIn(text.timezone, text.now);
  if (Number.isNaN(daysBetween(starts, ends))) return undefined;
  if (today < starts) return words.shell.startsIn(daysBetween(today, starts));
  if (today > ends) return words.shell.ended(date(ends));
  const day = daysBetween(starts, today) + 1;
  return words.shell.showDay(weekday(today), day, daysBetween(starts, ends) + 1);
}

/** `2026-08-14`. */
function dayIn(timezone: string, now: number): string {
  const options = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const parts = formatter(timezone, options).formatToParts(now);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

function weekday(day: string): string {
  return formatter("UTC", { weekday: "long" }).format(new Date(day));
}
