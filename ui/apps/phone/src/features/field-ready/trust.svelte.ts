// Asks again and again whether the phone trusts the certificate by now, so that the guide moves on by itself.

import type { Trust } from "@showdesk/sync";

import type { Phone } from "../../phone.svelte.ts";

const ASK_MS = 3_000;

/** What is known of the trust, for the component that calls this; it asks as long as `isWanted` says so. */
export function watchTrust(
  phone: Phone,
  isWanted: () => boolean,
  installation: () => string = () => phone.session?.installation_id ?? "",
): { readonly trust: Trust | undefined } {
  let trust = $state.raw<Trust>();
  let isAsking = false;
  $effect(() => {
    if (!isWanted()) return;
    const ask = async () => {
      if (isAsking || document.visibilityState !== "visible") return;
      isAsking = true;
      try {
        trust = await phone.askTrust(installation());
      } catch {
        // What was known stays; it is asked again soon.
      } finally {
        isAsking = false;
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_MS);
    // Back from the phone's settings: that is when it has changed.
    const onVisible = () => void ask();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  });
  return {
    get trust() {
      return trust;
    },
  };
}
