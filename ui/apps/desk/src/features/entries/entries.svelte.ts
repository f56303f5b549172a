// The list of entries: what is searched, which page of it is shown, which animal's record is open.

import type { EntryPage, EntryRow } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";

/** Rows a page. */
export const PAGE_ROWS = 50;
/** A search waits for the next letter this long. */
const TYPING_MS = 120;

export class Entries {
  readonly desk: Desk;
  query = $state("");
  offset = $state(0);
  page = $state.raw<EntryPage | undefined>(undefined);
  /** What the rows on the screen were found with. */
  shownQuery = $state("");
  error = $state.raw<unknown>(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly total = $derived(this.page?.total ?? 0);
  readonly items = $derived<EntryRow[]>(this.page?.items ?? []);

  /** A letter was typed. */
  search(query: string): void {
    this.query = query;
    this.offset = 0;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), TYPING_MS);
  }

  turn(by: 1 | -1): void {
    this.offset = Math.max(0, this.offset + by * PAGE_ROWS);
    void this.load();
  }

  /** Asks for the page; an older answer that comes later is dropped. */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    const query = this.query.trim();
    try {
      const page = await this.desk.api.entries(query, this.offset, PAGE_ROWS);
      if (asked !== this.#asked) return;
      this.page = page;
      this.shownQuery = query;
      this.error = undefined;
    } catch (error) {
      if (asked === this.#asked) this.error = error;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
