// How a phone stands, in words. A phone that is away is normal, never an error.

import type { Device } from "../../data/desk-api.ts";
import { duration, moment, type ShowText } from "../../text/format.ts";
import { listed, words } from "../../text/words.ts";

/** A clock that is off by less says nothing worth reading. */
const SKEW_SHOWN_MS = 2_000;
/** Slow minutes among the last ones that make a phone's Wi-Fi weak. */
const WEAK = { slow: 4, among: 15 };
const HOUR_MS = 3_600_000;

export type PhoneState = "connected" | "away" | "never";

export function phoneState(device: Device): PhoneState {
  if (device.connected) return "connected";
  return device.last_seen === null || device.last_seen === undefined ? "never" : "away";
}

export interface PhoneText {
  /** What it still holds stands first and stands out. */
  waiting: string | undefined;
  rest: string;
  mark: "ok" | "weak" | undefined;
}

/** `9 waiting, away 29 min`, `All sent 9:34`, `Weak Wi-Fi, all sent`. */
export function phoneText(device: Device, show: ShowText): PhoneText {
  const text = words.overview;
  const waiting = device.unsent > 0 ? text.phoneWaiting(device.unsent) : undefined;
  const seen = device.last_seen ?? undefined;
  const state = phoneState(device);
  if (state === "away" && seen !== undefined) {
    return { waiting, rest: text.phoneAway(duration(show.now - Date.parse(seen))), mark: undefined };
  }
  if (state === "never") return { waiting, rest: text.phoneNever, mark: undefined };
  if (waiting !== undefined) return { waiting, rest: "", mark: undefined };
  if (isWeak(device)) return { waiting, rest: text.phoneSlow, mark: "weak" };
  const joinedAgo = show.now - Date.parse(device.joined_at);
  if (joinedAgo < HOUR_MS) return { waiting, rest: text.phoneJoined(moment(device.joined_at, show)), mark: undefined };
  return { waiting, rest: seen === undefined ? text.phoneNever : text.phoneSent(moment(seen, show)), mark: "ok" };
}

/** Whether many of its last answers were slow. */
export function isWeak(device: Device): boolean {
  return [...device.beats.slice(-WEAK.among)].filter((beat) => beat === "s").length >= WEAK.slow;
}

/** `clock 4 s slow`; undefined while it is right. */
export function skewWords(device: Device): string | undefined {
  if (Math.abs(device.skew_ms) < SKEW_SHOWN_MS) return undefined;
  const by = duration(device.skew_ms);
  return device.skew_ms > 0 ? words.overview.clockAhead(by) : words.overview.clockBehind(by);
}

/** `Gate and check-in`. */
export function jobWords(device: Device): string {
  const text = listed(device.functions.map(words.job)).toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Phones that hold entries first, then those that are away, then weak ones; then by name. */
export function sortPhones(devices: readonly Device[]): Device[] {
  const rank = (device: Device) => (device.unsent > 0 ? 0 : !device.connected ? 1 : isWeak(device) ? 2 : 3);
  return [...devices].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

export interface Beat {
  kind: "connected" | "slow" | "away" | "none";
  /** Place and height in the picture: the height says the state too. */
  x: number;
  y: number;
  height: number;
}

const BEATS: Readonly<Record<string, Pick<Beat, "kind" | "height">>> = {
  c: { kind: "connected", height: 16 },
  s: { kind: "slow", height: 11 },
  a: { kind: "away", height: 5 },
};
const MINUTES = 60;
const NONE = { kind: "none", height: 2 } as const;
export const BEATS_HEIGHT = 16;
/** Pixels from one bar to the next, a gap of 1 among them: whole ones, so that every bar is as sharp as the next. */
export type Pitch = 4 | 3;

export function beatsWidth(pitch: Pitch): number {
  return MINUTES * pitch - 1;
}

/** One bar a minute. */
export function beatsOf(letters: string, pitch: Pitch): Beat[] {
  return [...letters.padStart(MINUTES, "-").slice(-MINUTES)].map((letter, minute) => {
    const { kind, height } = BEATS[letter] ?? NONE;
    return { kind, height, x: minute * pitch, y: BEATS_HEIGHT - height };
  });
}

/** The same for those who do not see the bars. */
export function beatsText(letters: string): string {
  const many = (wanted: string) => [...letters].filter((letter) => letter === wanted).length;
  const counts = [many("c"), many("s"), many("a")] as const;
  return counts.every((count) => count === 0) ? words.overview.noBeats : words.overview.beats(...counts);
}
