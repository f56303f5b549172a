// The record of what was done, page after page: the rows that were read stay, the next page comes when it is scrolled to.

import type { AuditFilter, AuditItem } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";

/** Rows a page. */
export const PAGE_ROWS = 200;
/** A search waits for the next letter this long. */
const TYPING_MS = 150;

export class AuditList {
  readonly #desk: Desk;
  /** What was asked for last. */
  filter: AuditFilter = {};
  items = $state.raw<readonly AuditItem[]>([]);
  /** Whether anything was read yet. */
  loaded = $state(false);
  error = $state.raw<unknown>(undefined);
  /** Whether another list, or the next page, is on its way. */
  busy = $state(false);
  #cursor: string | undefined;
  hasMore = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Goes up when the list becomes another one: answers for the one before are dropped. */
  #list = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  show(filter: AuditFilter): void {
    const isTyping = this.loaded && (filter.q ?? "") !== (this.filter.q ?? "");
    this.filter = filter;
    clearTimeout(this.#timer);
    if (isTyping) this.#timer = setTimeout(() => void this.#begin(), TYPING_MS);
    else void this.#begin();
  }

  /** Reads on, if there is more and nothing is on its way. */
  async more(): Promise<void> {
    if (this.busy || !this.hasMore) return;
    await this.#read(this.#list, this.#cursor);
  }

  /** Something was done: what is newer comes on top, and whoever reads further down keeps the place. */
  async refresh(): Promise<void> {
    if (!this.loaded) {
      await this.#begin();
      return;
    }
    if (this.busy) return;
    const list = this.#list;
    try {
      const page = await this.#desk.api.audit(this.filter, undefined, PAGE_ROWS);
      if (list !== this.#list) return;
      // What another question has brought meanwhile is here already.
      const newest = this.items[0]?.id ?? 0;
      const fresh = page.items.filter((item) => item.id > newest);
      // More than a page came at once: the rows between are not here, so the list begins anew.
      if (fresh.length === PAGE_ROWS && this.items.length > 0) {
        await this.#begin();
        return;
      }
      if (fresh.length > 0) this.items = [...fresh, ...this.items];
      this.error = undefined;
    } catch (error) {
      if (list === this.#list) this.error = error;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#list += 1;
  }

  #begin(): Promise<void> {
    this.#list += 1;
    return this.#read(this.#list, undefined);
  }

  async #read(list: number, cursor: string | undefined): Promise<void> {
    this.busy = true;
    try {
      const page = await this.#desk.api.audit(this.filter, cursor, PAGE_ROWS);
      if (list !== this.#list) return;
      this.items = cursor === undefined ? page.items : [...this.items, ...page.items];
      this.#cursor = page.cursor;
      this.hasMore = page.cursor !== undefined;
      this.loaded = true;
      this.error = undefined;
    } catch (error) {
      if (list !== this.#list) return;
      this.error = error;
      // The rows of the list before do not answer what is asked now.
      if (cursor === undefined) this.#forget();
    }
    this.busy = false;
  }

  #forget(): void {
    this.items = [];
    this.loaded = false;
    this.hasMore = false;
    this.#cursor = undefined;
  }
}
