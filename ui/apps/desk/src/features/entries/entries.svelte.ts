// The list of entries: what it shows, and which parts of it this page holds.
//
// A show has 21,000 animals. The list is fetched in pages, only where it is looked at, and a page that is
// looked at again is asked for again after something changed.

import type { Span } from "@showdesk/components";

import type { EntryPage, EntryRow } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { isSameView, WHOLE_LIST, type ListView } from "./address.ts";
import { NO_PARTS, onlyPart, withPart, type Parts } from "./parts.ts";
import { pagesOf } from "./pages-of.ts";

/** Rows a page. */
export const PAGE_ROWS = 100;
/** A search waits for the next letter this long. */
const TYPING_MS = 120;
/** Questions under way at once: a drag of the scroll bar must not ask for all it passes. */
const ASKED_MAX = 2;
export class EntryList {
  readonly desk: Desk;
  /** What was asked for last. */
  view = $state.raw<ListView>(WHOLE_LIST);
  /** What the rows on the screen were found with. */
  shown = $state.raw<ListView>(WHOLE_LIST);
  /** The newest answer's numbers; undefined before the first. */
  page = $state.raw<EntryPage | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  /** Whether another list is on its way. */
  changing = $state(false);
  #parts = $state.raw<Parts>(NO_PARTS);
  #sight: Span = { first: 0, end: PAGE_ROWS };
  /** Goes up when the list becomes another one: answers for the one before are dropped. */
  #list = 0;
  /** Goes up when something changed in the show. */
  #round = 0;
  /** The state of the show that the lists' numbers are from. */
  #numbers = -1;
  #asked: readonly number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly total = $derived(this.page?.total ?? 0);

  row(index: number): EntryRow | undefined {
    return this.#parts.get(Math.floor(index / PAGE_ROWS))?.rows[index % PAGE_ROWS];
  }

  /** Where an animal stands, if that part of the list is here. */
  indexOf(animal: string): number | undefined {
    for (const [page, part] of this.#parts) {
      const index = part.rows.findIndex((row) => row.animal_id === animal);
      if (index >= 0) return page * PAGE_ROWS + index;
    }
    return undefined;
  }

  /** Shows another list. While a person types, the next letter is waited for. */
  show(view: ListView): void {
    if (this.page !== undefined && isSameView(view, this.view)) return;
    const isTyping = this.page !== undefined && view.query.trim() !== this.view.query.trim();
    this.view = view;
    clearTimeout(this.#timer);
    if (isTyping) this.#timer = setTimeout(() => void this.#begin(), TYPING_MS);
    else void this.#begin();
  }

  /** These rows are looked at. */
  see(span: Span): void {
    this.#sight = span;
    this.#ask();
  }

  /** Something changed: what is seen is asked for again, the rest when it is seen. */
  refresh(): void {
    this.#round += 1;
    if (this.page === undefined || this.error !== undefined) void this.#begin();
    else this.#ask();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#list += 1;
  }

  /** The first page of another list; the old rows stay until it is there. */
  async #begin(): Promise<void> {
    const list = ++this.#list;
    const view = this.view;
    const round = this.#round;
    this.#asked = [];
    this.changing = true;
    // A list that is only asked for again keeps its place.
    const isSame = this.page !== undefined && isSameView(view, this.shown);
    const first = isSame ? (pagesOf(this.#sight, PAGE_ROWS)[0] ?? 0) : 0;
    try {
      const page = await this.#load(view, first, true);
      if (list !== this.#list) return;
      this.#parts = onlyPart(first, { rows: page.items, round });
      this.page = page;
      this.#numbers = round;
      this.shown = view;
      this.error = undefined;
    } catch (error) {
      if (list === this.#list) this.error = error;
    }
    if (list !== this.#list) return;
    this.changing = false;
    if (this.error === undefined) this.#ask();
  }

  #ask(): void {
    if (this.page === undefined || this.changing) return;
    const wanted = pagesOf({ ...this.#sight, end: Math.min(this.#sight.end, this.total) }, PAGE_ROWS);
    for (const index of wanted) {
      if (this.#asked.length >= ASKED_MAX) return;
      const isFresh = this.#parts.get(index)?.round === this.#round;
      if (!isFresh && !this.#asked.includes(index)) void this.#readPage(index);
    }
  }

  async #readPage(index: number): Promise<void> {
    const [list, round] = [this.#list, this.#round];
    this.#asked = [...this.#asked, index];
    try {
      const withNumbers = round !== this.#numbers;
      const page = await this.#load(this.shown, index, withNumbers);
      if (list !== this.#list) return;
      const here = Math.floor(this.#sight.first / PAGE_ROWS);
      this.#parts = withPart(this.#parts, index, { rows: page.items, round }, here);
      this.page = withNumbers ? page : { ...this.page, items: page.items, total: page.total };
      if (withNumbers) this.#numbers = round;
      this.error = undefined;
    } catch (error) {
      if (list !== this.#list) return;
      this.error = error;
    }
    this.#asked = this.#asked.filter((other) => other !== index);
    // What failed is asked for again at the next wake-up, not in a circle.
    if (this.error === undefined) this.#ask();
  }

  #load(view: ListView, page: number, withNumbers: boolean): Promise<EntryPage> {
    const filter = { ...view, rowsOnly: !withNumbers };
    return this.desk.api.entries(view.query.trim(), page * PAGE_ROWS, PAGE_ROWS, filter);
  }
}
