// One tab of this phone talks to the desk; the others tell it about their entries.
//
// A row with an end time decides, so a tab that was frozen or killed is followed by another.
// Two leaders for a moment do no harm: the desk answers a repeated entry as it did before.

import type { Store } from "./store.ts";

/** How long a lease lasts unless it is renewed: longer than two rounds are apart. */
export const LEASE_MS = 40_000;

/** Takes or renews the lease; false if another tab holds it. */
export function tryLead(store: Store, tab: string, nowMs: number): Promise<boolean> {
  return store.transaction("rw", store.facts, async () => {
    const lease = await store.fact("lease");
    const isFree = lease === undefined || lease.tab === tab || lease.until_ms <= nowMs;
    // A lease from the far future is a clock that was set back: nobody would ever lead again.
    const isAbsurd = lease !== undefined && lease.until_ms > nowMs + LEASE_MS;
    if (!isFree && !isAbsurd) return false;
    await store.setFact("lease", { tab, until_ms: nowMs + LEASE_MS });
    return true;
  });
}

/** Takes the lease of a tab that is gone. */
export function takeLead(store: Store, tab: string, nowMs: number): Promise<void> {
  return store.setFact("lease", { tab, until_ms: nowMs + LEASE_MS });
}

/** Gives the lease back, so that another tab need not wait for its end. */
export function stopLeading(store: Store, tab: string): Promise<void> {
  return store.transaction("rw", store.facts, async () => {
    if ((await store.fact("lease"))?.tab === tab) await store.dropFact("lease");
  });
}
