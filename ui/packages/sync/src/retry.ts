// When to try again, and what a failure says about this phone's place in the show.

import { ApiProblem, backoffMs, Unreachable } from "@showdesk/api";

/** While the page is visible the desk is asked this often, whatever happens. */
export const TICK_MS = 15_000;

const BACKOFF = { firstMs: 1_000, mostMs: TICK_MS };

/** What a failed round means. */
export type Failure =
  /** No answer of this desk: everything is kept, and tried again by itself. */
  | { readonly kind: "away"; readonly reason: Unreachable["reason"] }
  /** The desk is there but cannot take entries now. */
  | { readonly kind: "busy"; readonly waitMs: number | null }
  /** The desk does not know this phone's token any more: join again. */
  | { readonly kind: "signed_out" }
  /** The desk removed this phone. */
  | { readonly kind: "removed" }
  /** The page is too old for this desk: reload it. */
  | { readonly kind: "too_old" }
  /** The desk was restored and lives in another epoch. */
  | { readonly kind: "other_epoch"; readonly epoch: string }
  /** Something that should not happen: kept, shown, tried again. */
  | { readonly kind: "trouble"; readonly code: string; readonly detail: string };

/** Reads a failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Unreachable) return { kind: "away", reason: error.reason };
  if (error instanceof ApiProblem) return failureOfProblem(error);
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "trouble", code: error instanceof Error ? error.name : "unknown", detail };
}

function failureOfProblem(problem: ApiProblem): Failure {
  const { status, code, detail, more } = problem;
  if (status === 401) return { kind: "signed_out" };
  if (status === 403) return { kind: "removed" };
  if (status === 409 && code === "epoch_mismatch" && more.epoch) return { kind: "other_epoch", epoch: more.epoch };
  if (status === 426) return { kind: "too_old" };
  if (status === 429 || status === 503 || status === 507) return { kind: "busy", waitMs: more.retryAfterMs };
  return { kind: "trouble", code, detail };
}

/** How long to wait after so many failures in a row. What the desk asks for comes first. */
export function waitMs(failures: number, askedMs: number | null, random: () => number): number {
  const own = backoffMs(failures, BACKOFF, random);
  return askedMs === null ? own : askedMs + own;
}
