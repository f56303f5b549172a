// One try whether a phone reaches the laptop: the desk shows an address, and hears when somebody opens it.

import { ApiProblem } from "@showdesk/api";

import type { DeskApi, NetworkTest, NetworkTestState } from "../../data/desk-api.ts";

/** How often it is asked whether a phone came. */
export const ASK_MS = 1_500;
/** After so long without one, the usual causes are told. */
export const PATIENCE_MS = 20_000;

/** So many questions in a row without an answer are a desk that does not answer: the Wi-Fi is not to blame. */
export const SILENT_MAX = 3;

/** `silent`: the desk does not say whether a phone came. `self`: only a browser of this laptop came, which says nothing about the Wi-Fi. */
export type TestPhase = "starting" | "failed" | "silent" | "waiting" | "stuck" | "self" | "arrived" | "over";

export class TestRun {
  readonly #api: DeskApi;
  test = $state.raw<NetworkTest | undefined>(undefined);
  state = $state.raw<NetworkTestState | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  /** Whether the patience is over. */
  long = $state(false);
  #unanswered = $state(0);
  #timers: ReturnType<typeof setTimeout>[] = [];
  #run = 0;

  constructor(api: DeskApi) {
    this.#api = api;
  }

  readonly phase: TestPhase = $derived.by(() => {
    if (this.test === undefined) return this.error === undefined ? "starting" : "failed";
    const arrivals = this.state?.arrivals ?? [];
    if (arrivals.some((arrival) => !arrival.this_laptop)) return "arrived";
    if (this.state?.status === "over") return "over";
    if (this.#unanswered >= SILENT_MAX) return "silent";
    if (arrivals.length > 0) return "self";
    return this.long ? "stuck" : "waiting";
  });

  async start(): Promise<void> {
    this.stop();
    const run = this.#run;
    this.test = undefined;
    this.state = undefined;
    this.error = undefined;
    this.long = false;
    this.#unanswered = 0;
    try {
      const test = await this.#api.startNetworkTest();
      if (run !== this.#run) return;
      this.test = test;
    } catch (error) {
      if (run === this.#run) this.error = error;
      return;
    }
    this.#timers.push(setTimeout(() => (this.long = true), PATIENCE_MS));
    void this.#follow(run, this.test.id);
  }

  stop(): void {
    this.#run += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  async #follow(run: number, id: string): Promise<void> {
    // Ends with the test: the desk keeps one for ten minutes and says then that it is over.
    while (run === this.#run && this.state?.status !== "over") {
      try {
        const state = await this.#api.networkTest(id);
        if (run !== this.#run) return;
        this.state = state;
        this.error = undefined;
        this.#unanswered = 0;
      } catch (error) {
        if (run !== this.#run) return;
        this.#missed(error);
      }
      await new Promise<void>((resolve) => {
        this.#timers.push(setTimeout(resolve, ASK_MS));
      });
    }
  }

  #missed(error: unknown): void {
    // A desk that was started again knows nothing of the test.
    if (error instanceof ApiProblem && error.status === 404) {
      this.state = { status: "over", expires_at: "", arrivals: this.state?.arrivals ?? [] };
      return;
    }
    this.error = error;
    this.#unanswered += 1;
  }
}
