// The time of day for texts like "in 12 seconds", told anew each second while somebody looks.

const SECOND_MS = 1_000;

/** A clock for the component that calls this; it stops with the component. */
export function ticking(): { readonly nowMs: number } {
  let nowMs = $state(Date.now());
  $effect(() => {
    const timer = setInterval(() => {
      nowMs = Date.now();
    }, SECOND_MS);
    return () => clearInterval(timer);
  });
  return {
    get nowMs() {
      return nowMs;
    },
  };
}
