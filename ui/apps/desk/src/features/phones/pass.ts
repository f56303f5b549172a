// How long a phone may stay, as a person chooses it. Pure.

import { fromLocal, toLocal } from "../../text/local-time.ts";
import { words } from "../../text/words.ts";

/** `end`: what the desk does by itself, two days after the show. */
export type PassKind = "end" | "at" | "never";

export interface Pass {
  kind: PassKind;
  /** As the field has it, by the show's clock. */
  local: string;
}

export const DEFAULT_PASS: Pass = { kind: "end", local: "" };

/** The pass that a phone has now. */
export function passOf(expiresAt: string | null | undefined, timezone: string): Pass {
  return typeof expiresAt === "string"
    ? { kind: "at", local: toLocal(expiresAt, timezone) }
    : { kind: "never", local: "" };
}

/** What is wrong with it, in words. */
export function passFault(pass: Pass, timezone: string, now: number): string | undefined {
  if (pass.kind !== "at") return undefined;
  const at = fromLocal(pass.local, timezone);
  if (at === undefined) return words.people.pass.noTime;
  return Date.parse(at) <= now ? words.people.pass.past : undefined;
}

/** What the desk is told: a moment, null for never, undefined to leave it to the desk. */
export function passMoment(pass: Pass, timezone: string): string | null | undefined {
  switch (pass.kind) {
    case "end":
      return undefined;
    case "never":
      return null;
    case "at":
      return fromLocal(pass.local, timezone);
  }
}
