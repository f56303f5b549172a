// Tells the desk what this phone noticed of itself, after a sync. Nothing else on the phone waits for it.

import { browserPreferences, capabilities, levelOf } from "@showdesk/platform";
import type { Shelf } from "@showdesk/sync";
import { Noticed } from "@showdesk/sync/noticed";

import { onNoticed, type Sight } from "../../parts/noticing.ts";
import type { Phone } from "../../phone.svelte.ts";
import { faultOf } from "./fault.ts";

/** Longer is a phone that slept meanwhile. */
const TOOK_MAX_MS = 5 * 60_000;

/** Begins to, once for a page. `screen` names what is shown. */
export function tellNoticed(phone: Phone, screen: () => string, shelf: Shelf = browserPreferences()): void {
  const { api, engine, store } = phone;
  const noticed = new Noticed({
    api,
    store,
    shelf,
    installation: () => phone.session?.installation_id,
    now: Date.now,
  });
  const take = (sight: Sight) => {
    if (sight.kind === "took") {
      const { what, status, atMs } = sight;
      const tookMs = Math.round(sight.tookMs * 10) / 10;
      if (tookMs <= TOOK_MAX_MS) noticed.took({ what, tookMs, status, atMs });
      return;
    }
    const place = { screen: screen(), level: levelOf(capabilities()), origin: location.origin };
    const fault = faultOf(sight.error, place, sight.atMs);
    if (fault !== undefined) noticed.failed(fault);
  };
  onNoticed((sight) => {
    try {
      take(sight);
    } catch {
      // An error about an error would come back here for ever.
    }
  });
  document.addEventListener("visibilitychange", () => noticed.keep());
  let sentMs = engine.status.lastSentMs;
  engine.subscribe(() => {
    const { access, lastSentMs, link, sending } = engine.status;
    if (lastSentMs === sentMs || link !== "near" || access !== "ok" || sending !== null) return;
    sentMs = lastSentMs;
    void noticed.tell();
  });
}
