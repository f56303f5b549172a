// The messages that went out, newest first, page after page. Counts of old ones change too, so all that is shown is asked
// again when somebody has read something.

import type { MessageItem } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";

/** Messages a page; of so many pages at most the counts are followed. */
export const PAGE_ITEMS = 100;
const PAGES_MAX = 5;

export class SentList {
  readonly #desk: Desk;
  readonly #size: number;
  items = $state.raw<readonly MessageItem[]>([]);
  loaded = $state(false);
  error = $state.raw<unknown>(undefined);
  busy = $state(false);
  #cursor: string | undefined;
  hasMore = $state(false);
  #running: Promise<void> | undefined;
  #again = false;

  constructor(desk: Desk, size: number = PAGE_ITEMS) {
    this.#desk = desk;
    this.#size = size;
  }

  /** Asks again for all that is shown; while a question runs, one more is remembered. */
  refresh(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#loop().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Reads on at the end. */
  async more(): Promise<void> {
    if (this.busy || !this.hasMore || this.error !== undefined) return;
    this.busy = true;
    try {
      const page = await this.#desk.api.messages("sent", this.#cursor, this.#size);
      this.items = merged(this.items, page.items);
      this.#goOn(page.cursor);
    } catch (error) {
      this.error = error;
    }
    this.busy = false;
  }

  async #loop(): Promise<void> {
    do {
      this.#again = false;
      await this.#read();
    } while (this.#again);
  }

  async #read(): Promise<void> {
    const pages = Math.min(PAGES_MAX, Math.max(1, Math.ceil(this.items.length / this.#size)));
    let fresh: readonly MessageItem[] = [];
    let cursor: string | undefined;
    try {
      for (let page = 0; page < pages; page += 1) {
        const read = await this.#desk.api.messages("sent", cursor, this.#size);
        fresh = [...fresh, ...read.items];
        cursor = read.cursor;
        if (cursor === undefined) break;
      }
      const isAll = fresh.length >= this.items.length || cursor === undefined;
      this.items = isAll ? fresh : merged(fresh, this.items);
      if (isAll) this.#goOn(cursor);
      this.loaded = true;
      this.error = undefined;
    } catch (error) {
      this.error = error;
    }
  }

  #goOn(cursor: string | undefined): void {
    this.#cursor = cursor;
    this.hasMore = cursor !== undefined;
  }
}

/** Both, each message once; what stands first is the newer answer. */
function merged(first: readonly MessageItem[], then: readonly MessageItem[]): MessageItem[] {
  const known = new Set(first.map(({ id }) => id));
  return [...first, ...then.filter(({ id }) => !known.has(id))];
}
