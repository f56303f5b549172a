// Values as people read them: weights with their unit, moments in the show's own time zone.

import { choiceText, fieldText } from "./fields.ts";
import type { Json } from "./json.ts";
import { words } from "./words.ts";

/** What the texts of one show depend on. */
export interface ShowText {
  unit: string;
  timezone: string;
  /** Milliseconds since 1970, by this computer's clock. */
  now: number;
  /** Names of people and records that values point to, by id. */
  names: Readonly<Record<string, string>>;
}

/** 6125 → `612.5 lb`; whole numbers without a decimal. */
export function weight(x10: number, unit: string): string {
  return `${decimal(x10)} ${unit}`;
}

/** +23 or −4.5, without unit: it stands beside a weight. */
export function weightDelta(fromX10: number, toX10: number): string {
  const delta = toX10 - fromX10;
  return `${delta < 0 ? "−" : "+"}${decimal(Math.abs(delta))}`;
}

/** What a person typed, in tenths; undefined if it is no weight. */
export function parseWeight(text: string): number | undefined {
  const match = /^(\d{1,4})(?:[.,](\d))?$/.exec(text.trim().replace(/\s*(lb|kg)$/i, ""));
  if (match === null) return undefined;
  const x10 = Number(match[1]) * 10 + Number(match[2] ?? "0");
  return x10 > 0 ? x10 : undefined;
}

/** 1618 → `1.62 lb a day`. */
export function gain(x1000: number, unit: string): string {
  return `${(x1000 / 1000).toFixed(2)} ${unit} a day`;
}

export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** `9:41`, `1:30 pm`; with the day where it is not today. */
export function moment(iso: string, show: ShowText): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const time = clock(at, show.timezone);
  if (dayKey(at, show.timezone) === dayKey(new Date(show.now), show.timezone)) return time;
  return `${day(at, show)} ${time}`;
}

/** `9:41–9:49`, `Sun 1:10–1:25 pm`; of several days the days alone. */
export function span(from: string, to: string, show: ShowText): string {
  const [first, last] = [new Date(from), new Date(to)];
  if (Number.isNaN(first.getTime()) || Number.isNaN(last.getTime())) return `${from}–${to}`;
  if (dayKey(first, show.timezone) !== dayKey(last, show.timezone)) {
    return `${shortMoment(from, show)}–${shortMoment(to, show)}`;
  }
  const end = clock(last, show.timezone);
  const half = / [ap]m$/.exec(end)?.[0] ?? "";
  const begin = moment(from, show);
  return `${half !== "" && begin.endsWith(half) ? begin.slice(0, -half.length) : begin}–${end}`;
}

/** `9:41:07`, `1:30:07 pm`: to the second, where many things happen in a minute. */
export function exactTime(iso: string, show: ShowText): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const seconds = String(at.getUTCSeconds()).padStart(2, "0");
  return clock(at, show.timezone).replace(/^(\d+:\d+)/, `$1:${seconds}`);
}

/** The time alone today, else the day alone: for narrow columns. */
export function shortMoment(iso: string, show: ShowText): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return dayKey(at, show.timezone) === dayKey(new Date(show.now), show.timezone)
    ? clock(at, show.timezone)
    : day(at, show);
}

/** Whether a moment is of the show's day today. */
export function isSameDay(iso: string, show: ShowText): boolean {
  const at = new Date(iso);
  return !Number.isNaN(at.getTime()) && dayKey(at, show.timezone) === dayKey(new Date(show.now), show.timezone);
}

/** `4 s`, `29 min`, `1 h 10 min`, `3 days`. */
export function duration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 60) return `${String(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${String(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${String(Math.floor(hours / 24))} days`;
  return minutes % 60 === 0 ? `${String(hours)} h` : `${String(hours)} h ${String(minutes % 60)} min`;
}

/** Any value of a synced table, by its field's kind. */
export function value(field: string, json: Json | undefined, show: ShowText): string {
  if (json === null || json === undefined || json === "") return words.none;
  const { kind } = fieldText(field);
  switch (kind) {
    case "weight":
      return typeof json === "number" ? weight(json, show.unit) : plain(json);
    case "gain":
      return typeof json === "number" ? gain(json, show.unit) : plain(json);
    case "instant":
      return typeof json === "string" ? moment(json, show) : plain(json);
    case "date":
      return typeof json === "string" ? date(json) : plain(json);
    case "choice":
      return typeof json === "string" ? choiceText(json) : plain(json);
    case "flag":
      return json === true ? words.yes : words.no;
    case "list":
      return Array.isArray(json) ? (json.length === 0 ? words.none : json.map(plain).join(", ")) : plain(json);
    case "person":
    case "record":
      return typeof json === "string" ? (show.names[json] ?? words.anotherRecord(json)) : plain(json);
    case "text":
    case "code":
    case "number":
      return plain(json);
  }
}

/** `2026-03-28` → `28 Mar 2026`: a day has no time zone. */
export function date(iso: string): string {
  const at = new Date(`${iso}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return iso;
  return formatter("UTC", { day: "numeric", month: "short", year: "numeric" }).format(at);
}

function plain(json: Json): string {
  return typeof json === "object" ? JSON.stringify(json) : String(json);
}

/** 6125 → `612.5`. */
export function decimal(x10: number): string {
  return (x10 / 10).toLocaleString("en-US", { maximumFractionDigits: 1 });
}

function clock(at: Date, timezone: string): string {
  const parts = formatter(timezone, { hour: "numeric", minute: "2-digit", hourCycle: "h12" }).formatToParts(at);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? "";
  const [hour, minute, half] = [part("hour"), part("minute"), part("dayPeriod").toLowerCase()];
  const needsHalf = half === "pm" || hour === "12";
  return needsHalf ? `${hour}:${minute} ${half}` : `${hour}:${minute}`;
}

const WEEK_MS = 6 * 24 * 3600 * 1000;

function day(at: Date, show: ShowText): string {
  const age = show.now - at.getTime();
  const near = age >= 0 && age < WEEK_MS;
  return formatter(show.timezone, near ? { weekday: "short" } : { day: "numeric", month: "short" }).format(at);
}

function dayKey(at: Date, timezone: string): string {
  return formatter(timezone, { year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** One for each zone and form: making one is slow. A zone this browser does not know is UTC. */
export function formatter(timezone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${timezone} ${JSON.stringify(options)}`;
  const known = formatters.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: knownZone(timezone) });
  formatters.set(key, made);
  return made;
}

/** A zone this browser does not know must not take the page down. */
function knownZone(timezone: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
    return timezone;
  } catch {
    return "UTC";
  }
}
