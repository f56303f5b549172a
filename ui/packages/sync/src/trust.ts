// Whether this phone trusts the show's certificate, found out by asking the laptop over HTTPS.

import { ApiProblem, Unreachable } from "@showdesk/api";

import type { Ping } from "./wire.ts";

/** A clock that is off by more may lie outside the time for which the certificate is good. */
const CLOCK_OFF_MAX_MS = 24 * 3_600_000;
/** Names and addresses of one laptop that are asked at most. */
const ASKED_MAX = 4;

/** What asking over HTTPS told. */
export type Trust =
  /** The page can go on there. */
  | { readonly kind: "trusted"; readonly address: string }
  /** The laptop answers over HTTP and the browser does not trust it over HTTPS. */
  | { readonly kind: "not_yet" }
  /** So far off that no certificate of today can be good on this phone. */
  | { readonly kind: "clock_wrong"; readonly laptopMs: number }
  /** The laptop has no HTTPS. */
  | { readonly kind: "no_https" }
  /** The laptop does not answer at all. */
  | { readonly kind: "away" };

/** What a page at `home` finds out. `ask` pings an address without the token. */
export async function askTrust(
  ask: (address: string) => Promise<Ping>,
  home: string,
  installationId: string,
  nowMs: () => number,
): Promise<Trust> {
  const here = await reached(ask, home, installationId);
  if (here === null) return { kind: "away" };
  if (here.https.length === 0) return { kind: "no_https" };
  const addresses = inOrder(here.https, home).slice(0, ASKED_MAX);
  const answers = await Promise.all(addresses.map((address) => reached(ask, address, installationId)));
  const trusted = addresses.find((_, i) => answers[i] !== null);
  if (trusted !== undefined) return { kind: "trusted", address: trusted };
  const laptopMs = Date.parse(here.server_time);
  const isClockWrong = Math.abs(nowMs() - laptopMs) > CLOCK_OFF_MAX_MS;
  return isClockWrong ? { kind: "clock_wrong", laptopMs } : { kind: "not_yet" };
}

/** The name that outlives a change of address first, then the address that this page came by. */
function inOrder(https: readonly string[], home: string): string[] {
  const host = new URL(home).hostname;
  const rank = (address: string) => {
    const { hostname } = new URL(address);
    return hostname.endsWith(".local") ? 0 : hostname === host ? 1 : 2;
  };
  return https.filter((address) => URL.canParse(address)).sort((one, other) => rank(one) - rank(other));
}

async function reached(
  ask: (address: string) => Promise<Ping>,
  address: string,
  installationId: string,
): Promise<Ping | null> {
  try {
    const who = await ask(address);
    return who.installation_id === installationId ? who : null;
  } catch (error) {
    if (error instanceof Unreachable || error instanceof ApiProblem) return null;
    throw error;
  }
}
