// How a phone stands, in words. A phone that is away is normal, never an error.

import type { Device } from "../../data/desk-api.ts";
import { duration, moment, type ShowText } from "../../text/format.ts";
import { listed, words } from "../../text/words.ts";

/** A phone asks every 15 s while its page is open; after four missed tries it is away. */
export const AWAY_MS = 60_000;
/** A clock that is off by less says nothing worth reading. */
const SKEW_SHOWN_MS = 2_000;

export type PhoneState = "connected" | "away" | "never";

export function phoneState(device: Device, now: number): PhoneState {
  if (device.last_seen === null || device.last_seen === undefined) return "never";
  return now - Date.parse(device.last_seen) < AWAY_MS ? "connected" : "away";
}

/** `9 waiting, away 29 min`, `All sent 9:34`. */
export function phoneWords(device: Device, show: ShowText): { waiting: string | undefined; rest: string } {
  const state = phoneState(device, show.now);
  const seen = device.last_seen;
  const waiting = device.unsent > 0 ? words.overview.phoneWaiting(device.unsent) : undefined;
  if (state === "never" || !seen) return { waiting, rest: words.overview.phoneNever };
  if (state === "away") {
    return { waiting, rest: words.overview.phoneAway(duration(show.now - Date.parse(seen))) };
  }
  return { waiting, rest: waiting === undefined ? words.overview.phoneSent(moment(seen, show)) : "" };
}

/** `clock 4 s slow`; undefined while it is right. */
export function skewWords(device: Device): string | undefined {
  if (Math.abs(device.skew_ms) < SKEW_SHOWN_MS) return undefined;
  const by = duration(device.skew_ms);
  return device.skew_ms > 0 ? words.overview.clockAhead(by) : words.overview.clockBehind(by);
}

export function jobWords(device: Device): string {
  return listed(device.functions.map(words.job));
}

/** Phones that hold entries first, then those that are away longest; then by name. */
export function sortPhones(devices: readonly Device[], now: number): Device[] {
  const rank = (device: Device) => (device.unsent > 0 ? 0 : phoneState(device, now) === "away" ? 1 : 2);
  return [...devices].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
