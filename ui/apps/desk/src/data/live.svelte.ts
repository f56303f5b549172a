// Hears that something changed and tells whoever asked. The stream wakes at once; a slow clock wakes as well,
// because a lost stream must only delay, and "last seen" grows old without any event.

import { backoffMs, Unreachable } from "@showdesk/api";

import type { DeskApi, Wake } from "./desk-api.ts";

/** How often everything is asked again, stream or not. */
const POLL_MS = 10_000;
/** Wake-ups that come together are answered once. */
const GATHER_MS = 250;
const RECONNECT = { firstMs: 500, mostMs: 8_000 };

export class Live {
  /** Whether the stream is open now. */
  connected = $state(false);
  /** Whether the last try to reach the server failed. */
  away = $state(false);
  #listeners: ((wake: Wake) => void)[] = [];
  #gathered: Wake[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls back on wake-ups until the returned function is called. */
  on(listener: (wake: Wake) => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  /** Tells the listeners, once for all wake-ups of a moment. */
  wake(wake: Wake): void {
    if (!this.#gathered.includes(wake)) this.#gathered.push(wake);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const wakes = this.#gathered;
      this.#gathered = [];
      for (const gathered of wakes) for (const listener of this.#listeners) listener(gathered);
    }, GATHER_MS);
  }

  /** Runs until the signal aborts. */
  start(api: DeskApi, signal: AbortSignal): void {
    const poll = setInterval(() => this.#wakeAll(), POLL_MS);
    signal.addEventListener("abort", () => {
      clearInterval(poll);
      clearTimeout(this.#timer);
    });
    void this.#follow(api, signal);
  }

  async #follow(api: DeskApi, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await api.live(
          () => {
            failures = 0;
            this.#opened();
          },
          (wake) => this.wake(wake),
          signal,
        );
      } catch (error) {
        failures += 1;
        if (error instanceof Unreachable) this.away = true;
      }
      this.connected = false;
      if (!signal.aborted) await pause(Math.max(100, backoffMs(failures, RECONNECT, Math.random)), signal);
    }
  }

  #opened(): void {
    this.connected = true;
    this.away = false;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of ["poke", "conflict", "pairings", "messages", "alerts", "errors"] as const) this.wake(wake);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
