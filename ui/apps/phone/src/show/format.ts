// Weights, times and days as people read them. A number always has its unit.

import { words } from "../words.ts";

/** 12865 tenths → "1,286.5 lb". */
export function weightText(weightX10: number, unit: string): string {
  return `${tenthsText(weightX10)} ${unit}`;
}

/** 12860 tenths → "1,286". */
export function tenthsText(x10: number): string {
  const [whole = "0", tenth] = (Math.abs(x10) / 10).toFixed(1).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${x10 < 0 ? "−" : ""}${grouped}${tenth === "0" ? "" : `.${tenth}`}`;
}

/** The hour and minute of a moment at the show, "9:41". */
export function timeText(moment: number | string, timeZone: string | null): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  const style = { hour: "numeric", minute: "2-digit", hourCycle: "h23" } as const;
  try {
    return clock(date, { ...style, ...(timeZone === null ? {} : { timeZone }) });
  } catch {
    // A time zone this phone does not know: its own is the next best.
    return clock(date, style);
  }
}

function clock(date: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en", options).format(date).replace(/^0(\d:)/, "$1");
}

/** A moment to come: "at 17:00", on another day than today "Aug 16 at 17:00". */
export function momentText(moment: string, nowMs: number, timeZone: string | null): string {
  const [day, today] = [dateAt(moment, timeZone), dateAt(nowMs, timeZone)];
  const time = `at ${timeText(moment, timeZone)}`;
  return day === today ? time : `${dayText(day)} ${time}`;
}

/** The day of a moment at the show, "2026-03-14". */
function dateAt(moment: number | string, timeZone: string | null): string {
  const date = new Date(moment);
  const style = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  try {
    return new Intl.DateTimeFormat("en-CA", { ...style, ...(timeZone === null ? {} : { timeZone }) }).format(date);
  } catch {
    // A time zone this phone does not know, as above.
    return new Intl.DateTimeFormat("en-CA", style).format(date);
  }
}

/** "2026-03-14" or a moment of that day → "Mar 14". */
export function dayText(date: string): string {
  const [, month, day] = /^\d{4}-(\d{2})-(\d{2})/.exec(date) ?? [];
  return month && day ? `${words.months[Number(month) - 1] ?? ""} ${Number(day)}` : "";
}

/** Whole days between two dates or moments, never negative. */
export function daysBetween(from: string, to: string): number {
  const days = (Date.parse(to.slice(0, 10)) - Date.parse(from.slice(0, 10))) / 86_400_000;
  return Number.isFinite(days) ? Math.max(0, Math.round(days)) : 0;
}
