// An abort signal that also fires after a time. Written out because AbortSignal.any is missing on phones of 2023.

/** A signal with an end. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the time ran out, and not the caller's own signal. */
  expired(): boolean;
  /** Starts the time anew. */
  extend(): void;
  /** Frees the timer. */
  clear(): void;
}

/** A signal that fires when `parent` does, or when `ms` have passed. */
export function deadline(parent: AbortSignal, ms: number): Deadline {
  const controller = new AbortController();
  let expired = false;
  const expire = () => {
    expired = true;
    controller.abort();
  };
  const follow = () => controller.abort(parent.reason);
  if (parent.aborted) follow();
  parent.addEventListener("abort", follow, { once: true });
  let timer = setTimeout(expire, ms);
  return {
    signal: controller.signal,
    expired: () => expired,
    extend: () => {
      clearTimeout(timer);
      timer = setTimeout(expire, ms);
    },
    clear: () => {
      clearTimeout(timer);
      parent.removeEventListener("abort", follow);
    },
  };
}
