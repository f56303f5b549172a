// Limits and times of rules as people read and type them. Pure.

import type { LimitUnit } from "../../data/desk-api.ts";
import { words } from "../../text/words.ts";

const wrong = words.alerts.wrong;

/** What was typed, or what is wrong with it. */
export type Typed = { value: number } | { fault: string };

const KIB = 1024;
const SECONDS_MAX = 7 * 24 * 3600;
/** More is no figure of a show. */
const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 1024 ** 5;

/** How much one of each is, by what people type for it. */
const TIMES: Readonly<Record<string, number>> = { s: 1, sec: 1, min: 60, m: 60, h: 3600, d: 86_400, days: 86_400 };
const SPANS: Readonly<Record<string, number>> = { ms: 1, s: 1000, sec: 1000, min: 60_000 };
const SIZES: Readonly<Record<string, number>> = { kb: KIB, mb: KIB ** 2, gb: KIB ** 3, tb: KIB ** 4 };

/** 500 ms, 10 min, 5 %, 2 GB. */
export function limitText(value: number, unit: LimitUnit): string {
  switch (unit) {
    case "milliseconds":
      return `${number(value)} ms`;
    case "seconds":
      return timeText(value);
    case "percent":
      return `${number(value)} %`;
    case "bytes":
      return sizeText(value);
    case "count":
    case "flag":
      return number(value);
  }
}

/** `10 min`, `2 h`: the unit in which it is short. */
export function timeText(seconds: number): string {
  if (seconds >= 7200) return `${number(seconds / 3600)} h`;
  return seconds >= 60 ? `${number(seconds / 60)} min` : `${number(seconds)} s`;
}

/** `41 MB`, `1.5 GB`. */
export function sizeText(bytes: number): string {
  return bytes >= KIB ** 3 ? `${number(bytes / KIB ** 3)} GB` : `${number(bytes / KIB ** 2)} MB`;
}

/** Megabytes beside their unit: whole ones, and a tenth of what is small. */
export function megabytes(bytes: number): string {
  const mb = bytes / KIB ** 2;
  return (mb >= 10 || mb === 0 ? Math.round(mb) : Math.max(0.1, Math.round(mb * 10) / 10)).toLocaleString("en-US");
}

/** `620 ms`, `12.4 s`, `< 1 ms`. */
export function millisecondsText(ms: number): string {
  if (ms < 1) return "< 1 ms";
  return ms >= 10_000 ? `${number(ms / 1000)} s` : `${Math.round(ms).toLocaleString("en-US")} ms`;
}

function number(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 1 });
}

/** Reads a limit. A number alone has the unit that stood there before. */
export function readLimit(text: string, unit: LimitUnit, before: string): Typed {
  switch (unit) {
    case "milliseconds":
      return within(read(text, SPANS, before, "ms"), 0, SECONDS_MAX * 1000, wrong.milliseconds, wrong.large);
    case "seconds":
      return readTime(text, before, 0);
    case "percent":
      return within(read(text.replace(/%\s*$/, ""), {}, "", ""), 0, 100, wrong.percent, wrong.percent);
    case "bytes":
      return within(read(text, SIZES, before, "mb"), 0, BYTES_MAX, wrong.bytes, wrong.large);
    case "count":
    case "flag":
      return within(read(text, {}, "", ""), 0, COUNT_MAX, wrong.count, wrong.large);
  }
}

/** Reads a time in seconds, of at least so many. */
export function readTime(text: string, before: string, least: number): Typed {
  const seconds = read(text, TIMES, before, "min");
  if (seconds === undefined) return { fault: wrong.time };
  if (seconds < least) return { fault: wrong.noTime };
  return seconds > SECONDS_MAX ? { fault: wrong.longTime } : { value: Math.round(seconds) };
}

function within(value: number | undefined, from: number, to: number, fault: string, large: string): Typed {
  if (value === undefined || value < from) return { fault };
  return value > to ? { fault: large } : { value };
}

/** A number with one of these units, in the smallest of them. */
function read(
  text: string,
  units: Readonly<Record<string, number>>,
  before: string,
  otherwise: string,
): number | undefined {
  const found = /^(\d{1,12}(?:,\d{3})*(?:\.\d{1,3})?|\d{1,9},\d{1,2})\s*([a-z]*)$/i.exec(text.trim());
  if (found === null) return undefined;
  const digits = found[1] ?? "";
  // `1,500` has a thousand in it, `1,5` a half.
  const amount = Number(/^\d+,\d{1,2}$/.test(digits) ? digits.replace(",", ".") : digits.replaceAll(",", ""));
  const named = (found[2] ?? "").toLowerCase();
  if (Object.keys(units).length === 0) return named === "" ? amount : undefined;
  const stood = /[a-z]+$/i.exec(before.trim())?.[0].toLowerCase() ?? otherwise;
  const unit = units[named === "" ? stood : singular(named)];
  return unit === undefined ? undefined : amount * unit;
}

/** `minutes` → `min`, `hours` → `h`: how people write units in full. */
function singular(name: string): string {
  const long: Readonly<Record<string, string>> = {
    second: "s",
    seconds: "s",
    secs: "s",
    minute: "min",
    minutes: "min",
    mins: "min",
    hour: "h",
    hours: "h",
    day: "d",
  };
  return long[name] ?? name;
}
