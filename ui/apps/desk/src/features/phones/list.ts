// Which phones the list shows, in which order, and what each cell says. Pure.

import type { Device, FunctionName, RingNow, Scope } from "../../data/desk-api.ts";
import { firstName } from "../../text/conflict-words.ts";
import { choiceText } from "../../text/fields.ts";
import { duration, moment, type ShowText } from "../../text/format.ts";
import { listed, words } from "../../text/words.ts";
import { isWeak, phoneState } from "../overview/phones.ts";

export const FILTERS = ["all", "connected", "away", "unsent", "asking", "removed"] as const;
export type Filter = (typeof FILTERS)[number];

type Rings = readonly Pick<RingNow, "id" | "name">[];

/** Phones only: the laptop is no phone, and stands in no list of phones. */
export function phonesOf(devices: readonly Device[]): Device[] {
  return devices.filter((device) => device.kind === "phone");
}

export function passes(device: Device, filter: Filter): boolean {
  const isRemoved = isGone(device);
  switch (filter) {
    case "all":
      return !isRemoved;
    case "connected":
      return !isRemoved && device.connected;
    case "away":
      return !isRemoved && !device.connected;
    case "unsent":
      return !isRemoved && device.unsent > 0;
    case "removed":
      return isRemoved;
    case "asking":
      return false;
  }
}

/** How many phones each filter leaves. */
export function countsOf(devices: readonly Device[], asking: number): Readonly<Record<Filter, number>> {
  const count = (filter: Filter) => devices.filter((device) => passes(device, filter)).length;
  return {
    all: count("all"),
    connected: count("connected"),
    away: count("away"),
    unsent: count("unsent"),
    asking,
    removed: count("removed"),
  };
}

export function isGone(device: Device): boolean {
  return device.revoked_at !== null && device.revoked_at !== undefined;
}

/** Whether its pass has run out. */
export function hasRunOut(device: Device, now: number): boolean {
  return typeof device.expires_at === "string" && Date.parse(device.expires_at) <= now;
}

/** `Maria’s phone`: a phone that bears its person's name says whose it is, one with a name of its own keeps it. */
export function phoneTitle(device: Pick<Device, "name" | "user">): string {
  return device.name === device.user.name ? words.people.phoneOf(firstName(device.user.name)) : device.name;
}

/** The phone that this one seems to be, told by either of them. */
export function twinOf(device: Device, phones: readonly Device[]): Device | undefined {
  const isTwin = (other: Device) => other.id === device.may_be || other.may_be === device.id;
  return phones.find((other) => !isGone(other) && isTwin(other));
}

/** Every word that is searched must stand somewhere in a phone's row. */
export function matches(device: Device, query: string, rings: Rings): boolean {
  const text = [phoneTitle(device), device.user.name, doesText(device, rings)].join(" ").toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Phones that hold entries first, then those that need a look, then by name. */
export function sorted(devices: readonly Device[], now: number): Device[] {
  const rank = (device: Device) => {
    if (device.unsent > 0) return 0;
    if (hasRunOut(device, now)) return 1;
    if (!device.connected) return 2;
    return isWeak(device) ? 3 : 4;
  };
  const unsent = (device: Device) => (rank(device) === 0 ? -device.unsent : 0);
  return [...devices].sort((a, b) => rank(a) - rank(b) || unsent(a) - unsent(b) || a.name.localeCompare(b.name));
}

/** `Ring 1 clerk`, `Gate and check-in`, `Clerk, sheep`. */
export function doesText(device: { functions: FunctionName[]; scope?: Scope }, rings: Rings): string {
  const { ring_ids = [], departments = [] } = device.scope ?? {};
  const names = rings.filter((ring) => ring_ids.includes(ring.id)).map((ring) => ring.name);
  const jobs = device.functions.map((job, index) => {
    if (job === "clerk" && names.length > 0) return words.people.clerkIn(listed(names));
    return index === 0 ? words.job(job) : words.job(job).toLowerCase();
  });
  const isNamed = device.functions.includes("clerk");
  return [listed(jobs), ...(isNamed ? [] : names), ...departments.map((name) => choiceText(name).toLowerCase())].join(
    ", ",
  );
}

/** Where somebody works, in words: `Ring 1 and sheep`; everywhere without a limit. */
export function whereText(scope: Scope, functions: readonly FunctionName[], rings: Rings): string {
  if (isViewer(functions)) return words.people.where.nobody;
  const { ring_ids = [], departments = [] } = scope;
  const names = rings.filter((ring) => ring_ids.includes(ring.id)).map((ring) => ring.name);
  const parts = [...names, ...departments.map((name) => choiceText(name).toLowerCase())];
  return parts.length === 0 ? words.people.drawer.everywhere : listed(parts);
}

/** Somebody who only looks. */
export function isViewer(functions: readonly FunctionName[]): boolean {
  return functions.every((job) => job === "viewer");
}

export interface WifiText {
  mark: "ok" | "away" | "weak" | "out" | "gone";
  text: string;
}

export function wifiText(device: Device, show: ShowText): WifiText {
  const text = words.people;
  if (isGone(device)) return { mark: "gone", text: text.removedAt(moment(device.revoked_at ?? "", show)) };
  if (hasRunOut(device, show.now)) return { mark: "out", text: text.ranOut };
  switch (phoneState(device)) {
    case "never":
      return { mark: "away", text: text.never };
    case "away":
      return { mark: "away", text: text.away(duration(show.now - Date.parse(device.last_seen ?? ""))) };
    case "connected":
      return isWeak(device) ? { mark: "weak", text: text.weak } : { mark: "ok", text: text.connected };
  }
}

export function workText(device: Device): string {
  const text = words.people;
  if (isGone(device)) return device.unsent > 0 ? text.notHandedIn(device.unsent) : text.nothingLeft;
  return device.unsent > 0 ? text.waiting(device.unsent) : text.allSent;
}

export function levelText(device: Device): string {
  return words.people.level[device.level ?? ""] ?? words.people.levelUnknown;
}

/** The columns there is room for, in their order. */
export const COLUMNS = ["phone", "person", "does", "wifi", "work", "level"] as const;
export type ColumnId = (typeof COLUMNS)[number];

/** Below these widths a column gives its room to the others; the record beside the list says the same. */
const NEEDS: readonly [px: number, column: ColumnId][] = [
  [700, "level"],
  [580, "person"],
  [440, "does"],
];

export function columnsFor(width: number): ColumnId[] {
  const gone = width === 0 ? [] : NEEDS.filter(([px]) => width < px).map(([, column]) => column);
  return COLUMNS.filter((column) => !gone.includes(column));
}
