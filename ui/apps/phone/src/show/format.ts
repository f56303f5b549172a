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
