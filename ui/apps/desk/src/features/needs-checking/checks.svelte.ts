// Needs checking: which clash is looked at, what was chosen, and the way to the desk and back.

import { ApiProblem } from "@showdesk/api";

import type { BulkAnswer, ConflictView, QueueItem, Resolve } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { randomId } from "../../data/random-id.ts";
import { conflictText, lowerFirst } from "../../text/conflict-words.ts";
import { textAt } from "../../text/json.ts";
import { words } from "../../text/words.ts";
import { Attention } from "./attention.svelte.ts";
import { CheckList, type Filter } from "./check-list.svelte.ts";
import { decide, decisionRows, NO_CHOICE, type Choice, type Choices, type Decision, type Side } from "./decision.ts";
import { outcomeText, lastDecision } from "./outcome.ts";
import { Selection } from "./selection.svelte.ts";
import type { Entry } from "./triage.ts";
import { isTypable } from "../../text/typing.ts";

/** What the last undo key press takes back. */
type Done = { kind: "one"; id: string } | { kind: "bulk"; id: string };

export class Checks {
  readonly desk: Desk;
  readonly list: CheckList;
  readonly selection = new Selection();
  /** The clash in the detail; it may have left the list. */
  current = $state.raw<ConflictView | undefined>(undefined);
  /** The entry in the detail that was not accepted. */
  attention = $state.raw<Attention | undefined>(undefined);
  choices = $state.raw<Choices>({});
  reason = $state("");
  /** Which row the keys 1, 2 and 3 speak to. */
  row = $state(0);
  /** The clashes whose decision is on its way. */
  #saving = $state.raw<readonly string[]>([]);
  notice = $state<string | undefined>(undefined);
  faults = $state.raw<Readonly<Record<string, string>>>({});
  #skipped: readonly string[] = [];
  #lastDone: Done | undefined;
  #key = randomId();
  /** Counts where a person went, so that a late answer leads nobody back. */
  #turn = 0;
  /** The turn whose clash is still being read: the first of the list does not stand in for it. */
  #reading: number | undefined;

  constructor(desk: Desk) {
    this.desk = desk;
    this.list = new CheckList(desk);
  }

  readonly rows = $derived(this.current === undefined ? [] : decisionRows(this.current));
  readonly decision: Decision = $derived.by(() =>
    this.current === undefined ? { state: "incomplete" } : decide(this.current, this.choices, this.desk.show),
  );
  readonly shownId = $derived(this.current?.id ?? this.attention?.item.op_id);
  readonly index = $derived.by(() => this.list.order.findIndex((entry) => entry.id === this.shownId));
  /** Clashes that may be ticked, in the order of the list. */
  readonly selectable: readonly string[] = $derived.by(() =>
    this.list.sections.filter(({ selectable }) => selectable).flatMap(({ entries }) => entries.map(({ id }) => id)),
  );

  /** Asks again for what is listed and for what is looked at. */
  async refresh(): Promise<void> {
    await this.list.refresh();
    this.selection.keep(this.list.items.filter((item) => item.status === "open").map((item) => item.id));
    try {
      await this.#refreshShown();
    } catch (error) {
      this.list.error = error;
    }
  }

  async #refreshShown(): Promise<void> {
    const { current, attention } = this;
    if (current !== undefined) {
      const listed = this.list.items.find((item) => item.id === current.id);
      const fresh = listed ?? (await this.desk.api.conflict(current.id));
      // What was put in its place meanwhile is newer than this answer.
      if (this.current === current && !this.saving) this.#take(fresh);
      return;
    }
    if (this.#reading === this.#turn) return;
    const isGone = attention !== undefined && !this.list.refused.some((item) => item.op_id === attention.item.op_id);
    if (attention === undefined || (isGone && !attention.busy)) this.#showFirst();
  }

  #showFirst(): void {
    const first = this.list.order.find(({ kind }) => kind === "clash") ?? this.list.order[0];
    if (first === undefined) this.clear();
    else this.#put(first);
  }

  /** Puts a newer state of the shown clash in place, and says so if it changes what must be decided. */
  #take(fresh: ConflictView): void {
    const current = this.current;
    // A decision does not change what is to be decided, so the number alone does not tell of it.
    if (current !== undefined && (current.rev !== fresh.rev || current.status !== fresh.status)) {
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
    if (filter === this.list.filter) return;
    this.#turn += 1;
    this.list.setFilter(filter);
    this.selection.clear();
    this.clear();
    void this.refresh();
  }

  /** Whether the decision of what is shown is on its way. */
  get saving(): boolean {
    return this.current !== undefined && this.#saving.includes(this.current.id);
  }

  /** Shows one clash, wherever it stands. */
  async open(id: string): Promise<void> {
    const turn = ++this.#turn;
    if (this.current?.id === id) return;
    const listed = this.list.items.find((item) => item.id === id);
    if (listed !== undefined) return this.showClash(listed);
    this.#reading = turn;
    try {
      const read = await this.desk.api.conflict(id);
      // The person may have gone elsewhere meanwhile.
      if (turn === this.#turn) this.showClash(read);
    } catch (error) {
      this.desk.toasts.show({ text: errorText(error), tone: "bad" });
    }
    if (this.#reading === turn) this.#reading = undefined;
    if (turn === this.#turn && this.shownId === undefined) this.#showFirst();
  }

  /** Shows the first entry that was not accepted. */
  async openAttention(): Promise<void> {
    this.setFilter("open");
    const turn = ++this.#turn;
    await this.list.refresh();
    const first = this.list.refused[0];
    if (first !== undefined && turn === this.#turn) this.showRefused(first);
  }

  show(entry: Entry): void {
    this.#turn += 1;
    this.#put(entry);
  }

  #put(entry: Entry): void {
    if (entry.kind === "clash") this.showClash(entry.view);
    else this.showRefused(entry.item);
  }

  showClash(view: ConflictView): void {
    // Clicking what is shown already must not throw away what was chosen.
    if (this.current?.id === view.id && this.current.rev === view.rev) return;
    this.attention = undefined;
    this.current = view;
    this.notice = undefined;
    this.#forgetChoices();
    this.list.reveal(view.id);
    void this.desk.learnNames(view);
  }

  showRefused(item: QueueItem): void {
    if (this.attention?.item.op_id === item.op_id) return;
    this.current = undefined;
    this.#forgetChoices();
    this.attention = new Attention(this.desk, item);
    this.list.reveal(item.op_id);
  }

  clear(): void {
    this.current = undefined;
    this.attention = undefined;
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
    const next = this.list.order[this.index + by] ?? (this.index < 0 ? this.list.order[0] : undefined);
    if (next !== undefined) this.show(next);
  }

  /** Goes on without deciding; what was skipped comes again when everything else is decided. */
  skip(): void {
    const id = this.shownId;
    if (id === undefined || (this.current !== undefined && this.current.status !== "open")) return;
    this.#skipped = [...this.#skipped, id];
    this.#goOn(id);
  }

  /** Shows what comes after an entry: not yet skipped if there is any, from the top at the end. */
  #goOn(from: string): void {
    const { order } = this.list;
    const at = order.findIndex((entry) => entry.id === from);
    const round = [...order.slice(at + 1), ...order.slice(0, Math.max(at, 0))].filter(isToDo);
    const next = round.find((entry) => !this.#skipped.includes(entry.id)) ?? round[0];
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

  /** The fields of a row that get an input when another value is typed. */
  typable(fields: readonly string[]): string[] {
    return fields.filter(isTypable);
  }

  type(key: string, field: string, text: string): void {
    const choice = this.choiceOf(key);
    this.choices = { ...this.choices, [key]: { side: "other", typed: { ...choice.typed, [field]: text } } };
    this.faults = {};
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
    this.#saving = [...this.#saving, current.id];
    this.notice = undefined;
    try {
      this.#saved(await this.desk.api.resolve(current.id, request));
    } catch (error) {
      await this.#refused(current, error);
    } finally {
      this.#saving = this.#saving.filter((id) => id !== current.id);
    }
  }

  #saved(decided: ConflictView): void {
    const { subject } = conflictText(decided);
    this.#lastDone = { kind: "one", id: decided.id };
    this.desk.toasts.show({
      text: words.checks.saved(subject, outcomeText(decided, this.desk.show)),
      tone: "plain",
      action: { label: words.checks.undo, key: "U", run: () => void this.undo(decided.id) },
    });
    this.#leave(decided.id);
    this.list.put(decided);
    this.selection.keep(this.selection.ids.filter((id) => id !== decided.id));
    this.desk.live.wake("conflict");
  }

  /**
   * Goes on from an entry that is done; at the last one nothing is left to show.
   * Whoever went to another one meanwhile stays there.
   */
  #leave(id: string): void {
    if (this.shownId !== id) return;
    this.#goOn(id);
    if (this.shownId === id) this.clear();
  }

  async #refused(current: ConflictView, error: unknown): Promise<void> {
    if (error instanceof ApiProblem && error.status === 409) {
      await this.#readAgain(current, error);
      return;
    }
    if (this.current?.id !== current.id) {
      this.desk.toasts.show({ text: errorText(error), tone: "bad" });
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
      this.list.put(fresh);
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
  async undo(id?: string): Promise<void> {
    const shown = this.current?.status === "resolved" ? this.current.id : undefined;
    const done: Done | undefined =
      (id ?? shown) === undefined ? this.#lastDone : { kind: "one", id: id ?? shown ?? "" };
    if (done === undefined) return;
    if (done.kind === "bulk") return this.undoBulk(done.id);
    await this.#again(() => this.desk.api.undo(done.id), words.checks.undone);
  }

  /** Asks once more about something that is decided; what is in force stays. */
  async reopen(id: string): Promise<void> {
    await this.#again(() => this.desk.api.reopen(id), words.checks.reopened);
  }

  async #again(open: () => Promise<ConflictView>, said: (subject: string) => string): Promise<void> {
    const turn = this.#turn;
    try {
      const view = await open();
      this.#lastDone = undefined;
      this.desk.toasts.show({ text: said(conflictText(view).subject), tone: "plain" });
      // Whoever went to another one meanwhile stays there.
      const stayed = turn === this.#turn;
      // It is no longer among the decided: follow it to where it waits.
      if (stayed && (this.list.filter === "decided" || this.list.filter === "joined")) this.setFilter("open");
      this.list.put(view);
      if (stayed) {
        this.#turn += 1;
        this.showClash(view);
      }
    } catch (error) {
      const moved = error instanceof ApiProblem && error.code === "server_moved";
      this.desk.toasts.show({ text: moved ? words.checks.undoGone : errorText(error), tone: "bad" });
    }
    this.desk.live.wake("conflict");
    await this.refresh();
  }

  /** Says what a decision about many has become, with one undo for all of it. */
  async bulkSaved(answer: BulkAnswer): Promise<void> {
    const done = answer.results.filter(({ outcome }) => outcome === "resolved");
    const failed = answer.results.length - done.length;
    const { bulk_id } = answer;
    this.selection.clear();
    if (bulk_id !== undefined) this.#lastDone = { kind: "bulk", id: bulk_id };
    this.desk.toasts.show({
      text: failed === 0 ? words.bulk.saved(done.length) : words.bulk.partly(done.length, failed),
      tone: "plain",
      ...(bulk_id !== undefined && {
        action: { label: words.checks.undo, key: "U", run: () => void this.undoBulk(bulk_id) },
      }),
    });
    if (done.some(({ id }) => id === this.current?.id)) this.clear();
    this.desk.live.wake("conflict");
    await this.refresh();
  }

  /** Takes all of it back that still can be. */
  async undoBulk(id: string): Promise<void> {
    try {
      const { results } = await this.desk.api.undoBulk(id);
      const back = results.filter(({ outcome }) => outcome === "undone").length;
      const kept = results.length - back;
      this.#lastDone = undefined;
      this.desk.toasts.show({
        text: kept === 0 ? words.bulk.undone(back) : words.bulk.partlyUndone(back, kept),
        tone: kept === 0 ? "plain" : "bad",
      });
      if (this.list.filter === "decided") this.setFilter("open");
    } catch (error) {
      this.desk.toasts.show({ text: errorText(error), tone: "bad" });
    }
    this.desk.live.wake("conflict");
    await this.refresh();
  }

  /** Asks the person who made the entry. Answers whether the question is on its way. */
  async ask(view: ConflictView, text: string): Promise<string | undefined> {
    try {
      const asked = await this.desk.api.ask(view.id, text);
      this.list.put(asked);
      if (this.current?.id === asked.id) this.#take(asked);
      this.desk.toasts.show({ text: words.checks.askedSent(conflictText(view).author), tone: "plain" });
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  }

  /** Leaves an entry that was dealt with. */
  async dealtWith(item: QueueItem): Promise<void> {
    this.#leave(item.op_id);
    this.list.refused = this.list.refused.filter((other) => other.op_id !== item.op_id);
    await this.refresh();
  }
}

function isToDo(entry: Entry): boolean {
  return entry.kind === "refused" || entry.view.status === "open";
}
