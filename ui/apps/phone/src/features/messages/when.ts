// When something was told: the time alone today, with the day before that.

import { dayText, timeText } from "../../show/format.ts";

/** "9:38", or "Nov 21, 9:38". */
export function whenText(moment: string, nowMs: number, timeZone: string | null): string {
  const time = timeText(moment, timeZone);
  const day = dayIn(moment, timeZone);
  return day === dayIn(nowMs, timeZone) ? time : `${dayText(day)}, ${time}`;
}

/** "2026-11-22", where the show is. */
function dayIn(moment: number | string, timeZone: string | null): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  try {
    // Canada writes days like the ISO standard.
    return new Intl.DateTimeFormat("en-CA", timeZone === null ? {} : { timeZone }).format(date);
  } catch {
    // A time zone this phone does not know: its own is the next best.
    return new Intl.DateTimeFormat("en-CA").format(date);
  }
}
