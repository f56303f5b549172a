// Needs checking: which clashes are listed, which one is looked at, what was chosen, and the way to the desk and back.

import { ApiProblem } from "@showdesk/api";

import type { ConflictView, Resolve } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { randomId } from "../../data/random-id.ts";
import { conflictText, lowerFirst } from "../../text/conflict-words.ts";
import { textAt } from "../../text/json.ts";
import { words } from "../../text/words.ts";
import { decide, decisionRows, isTypable, NO_CHOICE, type Choice, type Choices, type Side } from "./decision.ts";
import { outcomeText, lastDecision } from "./outcome.ts";

export type Filter = "open" | "all" | "decided";

const STATUS: Readonly<Record<Filter, string | undefined>> = { open: "open", all: undefined, decided: "resolved" };
/** Most pages kept fresh at once. */
const PAGES_MAX = 5;

export class Checks {
  readonly desk: Desk;
  filter = $state<Filter>("open");
  items = $state.raw<ConflictView[]>([]);
  hasMore = $state(false);
  loaded = $state(false);
  error = $state.raw<unknown>(undefined);
  /** The clash in the detail; it may have left the list. */
  current = $state.raw<ConflictView | undefined>(undefined);
  choices = $state.raw<Choices>({});
  reason = $state("");
  /** Which row the keys 1, 2 and 3 speak to. */
  row = $state(0);
  saving = $state(false);
  notice = $state<string | undefined>(undefined);
  faults = $state.raw<Readonly<Record<string, string>>>({});
  #pages = 1;
  #cursor: string | undefined;
  #refreshing: Promise<void> | undefined;
  #again = false;
  #lastDecided: string | undefined;
  #key = randomId();

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly rows = $derived(this.current === undefined ? [] : decisionRows(this.current));
  readonly decision = $derived(
    this.current === undefined ? ({ state: "incomplete" } as const) : decide(this.current, this.choices),
  );
  readonly index = $derived(this.items.findIndex((item) => item.id === this.current?.id));

  /** Asks again for what is listed and for what is looked at. */
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
      const filter = this.filter;
      try {
        const items: ConflictView[] = [];
        let cursor: string | undefined;
        for (let page = 0; page < Math.min(this.#pages, PAGES_MAX); page++) {
          const answer = await this.desk.api.conflicts(STATUS[filter], cursor);
          items.push(...answer.items);
          cursor = answer.cursor;
          if (cursor === undefined) break;
        }
        if (filter !== this.filter) continue;
        this.items = items;
        this.#cursor = cursor;
        this.hasMore = cursor !== undefined && this.#pages < PAGES_MAX;
        this.loaded = true;
        this.error = undefined;
        await this.#refreshCurrent();
      } catch (error) {
        this.error = error;
      }
    } while (this.#again);
  }

  async #refreshCurrent(): Promise<void> {
    const current = this.current;
    if (current === undefined) {
      const first = this.items[0];
      if (first !== undefined) this.show(first);
      return;
    }
    const listed = this.items.find((item) => item.id === current.id);
    const fresh = listed ?? (await this.desk.api.conflict(current.id));
    if (this.current?.id === fresh.id && !this.saving) this.#take(fresh);
  }

  /** Puts a newer state of the shown clash in place, and says so if it changes what must be decided. */
  #take(fresh: ConflictView): void {
    const current = this.current;
    if (current !== undefined && current.rev !== fresh.rev) {
      const hadChosen = Object.keys(this.choices).length > 0;
      this.#forgetChoices();
      if (fresh.status === "open" && current.status === "open" && hadChosen) this.notice = words.checks.moved;
      if (fresh.status === "resolved" && current.status === "open") this.notice = this.#justDecided(fresh);
    }
    this.current = fresh;
  }

  #justDecided(view: ConflictView): string {
    const who = textAt(lastDecision(view), "by_name") ?? words.history.somebody;
    return words.checks.justDecided(who, lowerFirst(outcomeText(view, this.desk.show)));
  }

  setFilter(filter: Filter): void {
    this.filter = filter;
    this.items = [];
    this.loaded = false;
    this.#pages = 1;
    this.#cursor = undefined;
    this.clear();
    void this.refresh();
  }

  showMore(): void {
    if (this.#cursor === undefined) return;
    this.#pages += 1;
    void this.refresh();
  }

  /** Shows one clash, wherever it stands. */
  async open(id: string): Promise<void> {
    if (this.current?.id === id) return;
    const listed = this.items.find((item) => item.id === id);
    try {
      this.show(listed ?? (await this.desk.api.conflict(id)));
    } catch (error) {
      this.desk.toasts.show({ text: errorText(error), tone: "bad" });
    }
  }

  show(view: ConflictView): void {
    // Clicking what is shown already must not throw away what was chosen.
    if (this.current?.id === view.id && this.current.rev === view.rev) return;
    this.current = view;
    this.notice = undefined;
    this.#forgetChoices();
    void this.desk.learnNames(view);
  }

  clear(): void {
    this.current = undefined;
    this.notice = undefined;
    this.#forgetChoices();
  }

  #forgetChoices(): void {
    this.choices = {};
    this.faults = {};
    this.reason = "";
    this.row = 0;
    this.#key = randomId();
  }

  /** One further or one back in the list. */
  step(by: 1 | -1): void {
    const next = this.items[this.index + by] ?? (this.index < 0 ? this.items[0] : undefined);
    if (next !== undefined) this.show(next);
  }

  stepRow(by: 1 | -1): void {
    this.row = Math.min(Math.max(this.row + by, 0), Math.max(this.rows.length - 1, 0));
  }

  choiceOf(key: string): Choice {
    return this.choices[key] ?? NO_CHOICE;
  }

  choose(key: string, side: Side): void {
    if (this.current?.status !== "open") return;
    const row = this.rows.find((found) => found.key === key);
    if (row === undefined || !row.sides.includes(side)) return;
    this.choices = { ...this.choices, [key]: { ...this.choiceOf(key), side } };
    this.row = this.rows.indexOf(row);
    this.faults = {};
  }

  type(key: string, field: string, text: string): void {
    const choice = this.choiceOf(key);
    this.choices = { ...this.choices, [key]: { side: "other", typed: { ...choice.typed, [field]: text } } };
    this.faults = {};
  }

  /** The fields of a row that get an input when another value is typed. */
  typable(fields: readonly string[]): string[] {
    return fields.filter(isTypable);
  }

  /** Writes the decision and goes on to the next open clash. */
  async save(): Promise<void> {
    const { current, decision } = this;
    if (current?.status !== "open" || this.saving || decision.state === "incomplete") return;
    if (decision.state === "invalid") {
      this.faults = decision.fields;
      return;
    }
    const request: Resolve = {
      resolution: decision.resolution,
      expected_server_version: current.server_version,
      rev: current.rev,
      idempotency_key: this.#key,
    };
    if (decision.data !== undefined) request.data = decision.data;
    if (this.reason.trim() !== "") request.reason = this.reason.trim();
    this.saving = true;
    this.notice = undefined;
    try {
      const decided = await this.desk.api.resolve(current.id, request);
      this.#saved(decided);
    } catch (error) {
      await this.#refused(current, error);
    } finally {
      this.saving = false;
    }
  }

  #saved(decided: ConflictView): void {
    const { subject } = conflictText(decided);
    this.#lastDecided = decided.id;
    this.desk.toasts.show({
      text: words.checks.saved(subject, outcomeText(decided, this.desk.show)),
      tone: "plain",
      action: { label: words.checks.undo, key: "U", run: () => void this.undo(decided.id) },
    });
    const at = this.index;
    const rest = this.items.filter((item) => item.id !== decided.id && item.status === "open");
    const next = rest.find((item) => this.items.indexOf(item) > at) ?? rest[0];
    if (this.filter === "open") this.items = rest;
    else this.items = this.items.map((item) => (item.id === decided.id ? decided : item));
    if (next === undefined) this.clear();
    else this.show(next);
    this.desk.live.wake("conflict");
  }

  async #refused(current: ConflictView, error: unknown): Promise<void> {
    if (error instanceof ApiProblem && error.status === 409) {
      await this.#readAgain(current, error);
      return;
    }
    if (error instanceof ApiProblem && error.status === 422 && Object.keys(error.more.fields).length > 0) {
      this.faults = error.more.fields;
    }
    this.notice = errorText(error);
  }

  async #readAgain(current: ConflictView, refusal: ApiProblem): Promise<void> {
    try {
      const fresh = await this.desk.api.conflict(current.id);
      if (this.current?.id !== current.id) return;
      this.#forgetChoices();
      this.current = fresh;
      if (fresh.status === "open") this.notice = words.checks.moved;
      else if (fresh.status === "resolved") this.notice = this.#justDecided(fresh);
      else this.notice = refusal.detail;
    } catch (error) {
      this.notice = errorText(error);
    }
    this.desk.live.wake("conflict");
  }

  /** Takes a decision back: the shown one, or the last one made here. */
  async undo(id = this.current?.status === "resolved" ? this.current.id : this.#lastDecided): Promise<void> {
    if (id === undefined) return;
    try {
      const open = await this.desk.api.undo(id);
      this.#lastDecided = undefined;
      this.desk.toasts.show({ text: words.checks.undone(conflictText(open).subject), tone: "plain" });
      // It is no longer among the decided: follow it to where it waits.
      if (this.filter === "decided") this.setFilter("open");
      this.show(open);
    } catch (error) {
      const moved = error instanceof ApiProblem && error.code === "server_moved";
      this.desk.toasts.show({ text: moved ? words.checks.undoGone : errorText(error), tone: "bad" });
    }
    this.desk.live.wake("conflict");
    await this.refresh();
  }
}
