// Finds whom a message can be for while a person types; the newest answer only.

import type { AudienceItem, DeskApi } from "../../data/desk-api.ts";

const TYPING_MS = 120;

export class AudienceSearch {
  readonly #api: DeskApi;
  query = $state("");
  found = $state.raw<readonly AudienceItem[]>([]);
  /** Whether `found` may belong to what was typed before. */
  busy = $state(false);
  failed = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(api: DeskApi) {
    this.#api = api;
  }

  /** The list is opened: what can be added without typing stands there at once. */
  open(): void {
    if (this.query === "") void this.#ask(++this.#asked);
  }

  type(query: string): void {
    this.query = query;
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    this.busy = true;
    this.#timer = setTimeout(() => void this.#ask(asked), query === "" ? 0 : TYPING_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  async #ask(asked: number): Promise<void> {
    this.busy = true;
    try {
      const found = await this.#api.audience(this.query.trim());
      if (asked !== this.#asked) return;
      this.found = found;
      this.failed = false;
    } catch {
      if (asked !== this.#asked) return;
      this.found = [];
      this.failed = true;
    }
    this.busy = false;
  }
}
