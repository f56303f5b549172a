// The search in the header: asks while a person types, keeps the newest answer only, and knows which line is chosen.

import type { DeskApi } from "../../data/desk-api.ts";
import { foundIn, type Found, type Hit } from "./results.ts";

/** A pause in typing this long asks. */
export const TYPING_MS = 120;
/** Hits asked for; the best of them are shown. */
const HITS_ASKED = 200;

export class Find {
  readonly #api: DeskApi;
  query = $state("");
  found = $state.raw<Found | undefined>(undefined);
  failed = $state(false);
  busy = $state(false);
  /** The chosen line. */
  active = $state(0);
  open = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  #settled: Promise<void> = Promise.resolve();

  constructor(api: DeskApi) {
    this.#api = api;
  }

  get chosen(): Hit | undefined {
    return this.found?.hits[this.active];
  }

  type(query: string): void {
    this.query = query;
    this.open = query.trim() !== "";
    clearTimeout(this.#timer);
    this.#asked += 1;
    if (!this.open) {
      this.found = undefined;
      this.failed = false;
      this.busy = false;
      return;
    }
    this.busy = true;
    const asked = this.#asked;
    this.#settled = new Promise((resolve) => {
      this.#timer = setTimeout(() => void this.#ask(asked).then(resolve), TYPING_MS);
    });
  }

  /** Moves the choice, round the ends. */
  move(by: number): void {
    const lines = this.found?.hits.length ?? 0;
    if (lines > 0) this.active = (this.active + by + lines) % lines;
  }

  /** Where Enter leads: the chosen line of the answer to what was typed, whole. */
  async enter(): Promise<string | undefined> {
    while (this.busy) await this.#settled;
    return this.chosen?.href;
  }

  close(): void {
    this.open = false;
  }

  clear(): void {
    this.type("");
  }

  async #ask(asked: number): Promise<void> {
    const query = this.query.trim();
    try {
      const page = await this.#api.entries(query, 0, HITS_ASKED);
      if (asked !== this.#asked) return;
      this.found = foundIn(page, query);
      this.failed = false;
    } catch {
      if (asked !== this.#asked) return;
      this.found = undefined;
      this.failed = true;
    }
    this.active = 0;
    this.busy = false;
  }
}
