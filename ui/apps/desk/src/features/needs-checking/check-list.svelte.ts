// What the list of Needs checking shows: which entries, in which order, under which headings.

import type { ClashCounts, ConflictView, QueueItem } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { isSameDay } from "../../text/format.ts";
import { words } from "../../text/words.ts";
import { EVERYTHING, filterChoices, isWanted, isWantedItem, type Wanted } from "./filter.ts";
import { toggled } from "./toggled.ts";
import { openSections, pastSections, type Entry, type Section } from "./triage.ts";

export type Filter = "open" | "all" | "decided" | "joined";

const STATUS: Readonly<Record<Filter, string | undefined>> = {
  open: "open",
  all: undefined,
  decided: "decided",
  joined: "merged_automatically",
};
/** Most pages kept fresh at once. */
const PAGES_MAX = 5;
/** What waits for a person comes whole, as far as this: order and headings need all of it. */
const OPEN_PAGES = PAGES_MAX;
/** What stands under the empty list, so that a person sees that something happened. */
const JOINED_SHOWN = 8;

export class CheckList {
  readonly desk: Desk;
  filter = $state<Filter>("open");
  items = $state.raw<ConflictView[]>([]);
  /** Entries of people that were not accepted, or that wait for what never came. */
  refused = $state.raw<QueueItem[]>([]);
  /** Shown while nothing is open. */
  joined = $state.raw<ConflictView[]>([]);
  counts = $state.raw<ClashCounts | undefined>(undefined);
  hasMore = $state(false);
  loaded = $state(false);
  error = $state.raw<unknown>(undefined);
  wanted = $state.raw<Wanted>(EVERYTHING);
  /** Headings whose lines are hidden. */
  #closed = $state.raw<readonly string[]>([]);
  /** Headings all of whose lines are shown. */
  #whole = $state.raw<readonly string[]>([]);
  readonly #known: Partial<Record<Filter, ConflictView[]>> = {};
  #pages = 1;
  #refreshing: Promise<void> | undefined;
  /** What the desk answered while a list was being read: that list may be older. */
  #newer: readonly ConflictView[] = [];
  #again = false;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly choices = $derived(filterChoices(this.items));
  readonly shown = $derived(this.items.filter((view) => isWanted(view, this.wanted)));
  readonly sections: readonly Section[] = $derived.by(() => this.#sections());
  /** All lines from top to bottom, hidden ones too. */
  readonly order: readonly Entry[] = $derived(this.sections.flatMap(({ entries }) => entries));
  readonly isFiltered = $derived(this.wanted !== EVERYTHING && this.shown.length < this.items.length);

  #sections(): Section[] {
    const { show } = this.desk;
    const today = (iso: string) => isSameDay(iso, show);
    switch (this.filter) {
      case "open":
        return openSections(
          this.shown,
          this.refused.filter((item) => isWantedItem(item, this.wanted)),
          show,
        );
      case "all":
        return pastSections(this.shown, words.checks.today, words.checks.earlier, today);
      case "decided":
        return pastSections(this.shown, words.checks.decidedToday, words.checks.decidedEarlier, today);
      case "joined":
        return pastSections(this.shown, words.checks.joinedToday, words.checks.joinedEarlier, today);
    }
  }

  /** Asks again; while a question runs, one more is remembered. */
  refresh(): Promise<void> {
    if (this.#refreshing !== undefined) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#refreshAll().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #refreshAll(): Promise<void> {
    do {
      this.#again = false;
      this.#newer = [];
      const filter = this.filter;
      try {
        const [found, refused] = await Promise.all([this.#load(filter), this.#loadRefused()]);
        if (filter !== this.filter) {
          this.#again = true;
          continue;
        }
        const joined = filter === "open" && found.items.length === 0 ? await this.#loadJoined() : [];
        this.items = this.#newer.reduce((items, view) => this.#with(items, view), found.items);
        this.#known[filter] = this.items;
        this.refused = refused;
        this.joined = joined;
        this.counts = found.counts;
        this.hasMore = found.cursor !== undefined && this.#pages < PAGES_MAX;
        this.loaded = true;
        this.error = undefined;
      } catch (error) {
        this.error = error;
      }
    } while (this.#again);
  }

  async #load(filter: Filter) {
    const items: ConflictView[] = [];
    let cursor: string | undefined;
    let counts: ClashCounts | undefined;
    for (let page = 0; page < (filter === "open" ? OPEN_PAGES : this.#pages); page++) {
      const answer = await this.desk.api.conflicts(STATUS[filter], cursor);
      items.push(...answer.items);
      ({ cursor, counts } = answer);
      if (cursor === undefined) break;
    }
    return { items, cursor, counts };
  }

  async #loadRefused(): Promise<QueueItem[]> {
    const [failed, pending] = await Promise.all([this.desk.api.queue(undefined), this.desk.api.queue("pending")]);
    return [...failed, ...pending.filter((item) => item.verdict === "held")];
  }

  async #loadJoined(): Promise<ConflictView[]> {
    return (await this.desk.api.conflicts(STATUS.joined, undefined)).items.slice(0, JOINED_SHOWN);
  }

  setFilter(filter: Filter): void {
    if (filter === this.filter) return;
    this.filter = filter;
    // What this view showed before stands there until the answer comes.
    const known = this.#known[filter];
    this.items = known ?? [];
    this.joined = [];
    this.loaded = known !== undefined;
    this.wanted = EVERYTHING;
    this.#pages = 1;
    void this.refresh();
  }

  want(part: Partial<Wanted>): void {
    this.wanted = { ...this.wanted, ...part };
  }

  showMore(): void {
    this.#pages = Math.min(this.#pages + 1, PAGES_MAX);
    void this.refresh();
  }

  isClosed(section: Section): boolean {
    return this.#closed.includes(section.key);
  }

  toggle(section: Section): void {
    this.#closed = toggled(this.#closed, section.key);
  }

  /** The lines that stand under a heading now. */
  linesOf(section: Section): readonly Entry[] {
    if (this.isClosed(section)) return [];
    if (this.#whole.includes(section.key) || section.entries.length <= FIRST_LINES + 1) return section.entries;
    return section.selectable ? section.entries.slice(0, FIRST_LINES) : section.entries;
  }

  showWhole(section: Section): void {
    this.#whole = [...this.#whole, section.key];
  }

  /** Brings a line in sight that its heading hides. */
  reveal(id: string): void {
    const section = this.sections.find(({ entries }) => entries.some((entry) => entry.id === id));
    if (section === undefined) return;
    if (this.isClosed(section)) this.toggle(section);
    if (!this.linesOf(section).some((entry) => entry.id === id)) this.showWhole(section);
  }

  /** Puts the newest state of a clash in its place, or takes it out where it no longer belongs. */
  put(view: ConflictView): void {
    this.#newer = [...this.#newer, view];
    this.items = this.#with(this.items, view);
    this.#known[this.filter] = this.items;
  }

  #with(items: readonly ConflictView[], view: ConflictView): ConflictView[] {
    const stays = this.filter === "all" || (this.filter === "open") === (view.status === "open");
    return stays ? items.map((item) => (item.id === view.id ? view : item)) : items.filter(({ id }) => id !== view.id);
  }
}

/** Lines of a long group that stand there before somebody asks for all. */
const FIRST_LINES = 4;
