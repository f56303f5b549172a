// When to try again, and what a failure says about this phone's place in the show.

import { ApiProblem, backoffMs, Unreachable, type Backoff } from "@showdesk/api";

/** While the page is visible the desk is asked this often, whatever happens. */
export const TICK_MS = 15_000;
/** No wait is longer, whoever asks for it: a wrong number must not silence a phone for the rest of the show. */
export const WAIT_MAX_MS = 300_000;

/** Between rounds. */
const ROUND: Backoff = { firstMs: 1_000, mostMs: TICK_MS };
/** Between two tries of one entry, while others go on. */
const ENTRY: Backoff = { firstMs: 1_000, mostMs: 60_000 };

/** The desk lives in another epoch than the rows on this phone. */
export class OtherEpoch extends Error {
  override readonly name = "OtherEpoch";

  constructor(readonly epoch: string) {
    super("the desk was restored");
  }
}

/** What a failed round means. */
export type Failure =
  /** No answer of this desk: everything is kept, and tried again by itself. */
  | { readonly kind: "away"; readonly reason: Unreachable["reason"] }
  /** The desk is there but cannot take entries now. */
  | { readonly kind: "busy"; readonly waitMs: number | null }
  /** The laptop's disk is full: somebody must make room. */
  | { readonly kind: "full"; readonly waitMs: number | null }
  /** The desk does not know this phone's token any more: join again. */
  | { readonly kind: "signed_out" }
  /** The time that the desk gave this phone is over: the desk can give it more. */
  | { readonly kind: "expired" }
  /** The desk removed this phone. */
  | { readonly kind: "removed" }
  /** The page is too old for this desk: reload it. */
  | { readonly kind: "too_old" }
  /** The desk was restored and lives in another epoch. */
  | { readonly kind: "other_epoch"; readonly epoch: string }
  /** Something that should not happen: kept, shown, tried again. */
  | { readonly kind: "trouble"; readonly code: string; readonly detail: string };

/** Refusals that any request of this phone would get. */
export const OF_ANY_REQUEST = new Set([401, 403, 426, 429, 503]);

/** The desk is away, or takes nothing at all from this phone. */
export function isAboutThePhone(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof ApiProblem && OF_ANY_REQUEST.has(error.status));
}

/** Reads a failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Unreachable) return { kind: "away", reason: error.reason };
  if (error instanceof OtherEpoch) return { kind: "other_epoch", epoch: error.epoch };
  if (error instanceof ApiProblem) return failureOfProblem(error);
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "trouble", code: error instanceof Error ? error.name : "unknown", detail };
}

function failureOfProblem(problem: ApiProblem): Failure {
  const { status, code, detail, more } = problem;
  if (status === 401) return { kind: code === "device_expired" ? "expired" : "signed_out" };
  if (status === 403) return { kind: "removed" };
  if (status === 409 && code === "epoch_mismatch" && more.epoch) return { kind: "other_epoch", epoch: more.epoch };
  if (status === 426) return { kind: "too_old" };
  if (status === 429 || status === 503) return { kind: "busy", waitMs: more.retryAfterMs };
  if (status === 507) return { kind: "full", waitMs: more.retryAfterMs };
  return { kind: "trouble", code, detail };
}

/** How long to wait after so many failures in a row. What the desk asks for comes first. */
export function waitMs(failures: number, askedMs: number | null, random: () => number): number {
  return bounded((askedMs ?? 0) + backoffMs(failures, ROUND, random));
}

/** When an entry is sent again that the desk did not take, for the `attempts`th time. */
export function resendAtMs(
  attempts: number,
  askedMs: number,
  { nowMs, random }: { readonly nowMs: number; readonly random: () => number },
): number {
  return nowMs + bounded(Math.max(0, askedMs) + backoffMs(attempts, ENTRY, random));
}

/** What is left of a wait. A moment further away than any wait is a clock that was set back: it has passed. */
export function leftMs(untilMs: number, nowMs: number): number {
  const left = untilMs - nowMs;
  return left > 0 && left <= WAIT_MAX_MS ? left : 0;
}

function bounded(ms: number): number {
  return Math.min(ms, WAIT_MAX_MS);
}
