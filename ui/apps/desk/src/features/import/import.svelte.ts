// An import from the chosen file to its undo. Nothing is written before the person says so.

import { ApiProblem } from "@showdesk/api";

import type { ImportChoices, ImportPart, ImportPreview, ImportResult } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { words } from "../../text/words.ts";
import { matched, matchesOf, missingFrom, type Matches } from "./columns.ts";

/** Rows that come at a time. */
export const PART_ROWS = 100;
/** Rows the desk gives at once at most. */
const PART_ROWS_MAX = 1_000;
/** A file has at most 50,000 rows. */
const FAULT_PARTS_MAX = 50;

export type Step =
  | { step: "file" }
  | { step: "reading"; name: string }
  | { step: "match"; name: string; preview: ImportPreview }
  | { step: "rows"; name: string; preview: ImportPreview }
  | { step: "done"; rows: number; result: ImportResult };

export const FILTERS = ["all", "new", "changed", "same", "error", "check", "left_out"] as const;
export type RowFilter = (typeof FILTERS)[number];

export class Import {
  readonly desk: Desk;
  state = $state.raw<Step>({ step: "file" });
  filter = $state<RowFilter>("all");
  busy = $state(false);
  /** What went wrong, or what happened since. */
  problem = $state<string | undefined>(undefined);
  undone = $state(false);
  /** What each column of the file is. */
  matches = $state.raw<Matches>([]);
  /** The column that lost its meaning to another just now. */
  taken = $state<number | undefined>(undefined);
  /** Rows to look at that a person brings in as they are. */
  accepted = $state.raw<readonly number[]>([]);
  #fixes: ImportChoices["fixes"] = [];
  #leftOut: readonly number[] = [];

  constructor(desk: Desk) {
    this.desk = desk;
  }

  async read(file: File): Promise<void> {
    this.again();
    this.state = { step: "reading", name: file.name };
    try {
      const preview = await this.desk.api.previewImport(file, file.name, PART_ROWS);
      this.matches = matchesOf(preview);
      this.state = { step: "match", name: file.name, preview };
    } catch (error) {
      this.problem = words.import.notRead(errorText(error));
      this.state = { step: "file" };
    }
  }

  match(index: number, meaning: string | null): void {
    const { matches, taken } = matched(this.matches, index, meaning);
    this.matches = matches;
    this.taken = taken;
  }

  /** What still has to be matched. */
  readonly missing = $derived.by(() =>
    this.state.step === "match" ? missingFrom(this.state.preview, this.matches) : [],
  );

  /** From the columns to the rows. */
  async check(): Promise<void> {
    if (this.state.step !== "match" || this.missing.length > 0) return;
    const { name } = this.state;
    await this.#plan((preview) => (this.state = { step: "rows", name, preview }));
  }

  /** Back to the columns; what was fixed and left out is kept. */
  back(): void {
    if (this.state.step !== "rows") return;
    this.problem = undefined;
    this.taken = undefined;
    this.state = { step: "match", name: this.state.name, preview: this.state.preview };
  }

  /** Puts one cell right. */
  async fix(row: number, column: string, value: string): Promise<void> {
    const before = this.#fixes ?? [];
    this.#fixes = [...before.filter((fix) => fix.row !== row || fix.column !== column), { row, column, value }];
    if (!(await this.#planRows())) this.#fixes = before;
  }

  async leaveOut(rows: readonly number[]): Promise<void> {
    await this.#leave([...this.#leftOut, ...rows.filter((row) => !this.#leftOut.includes(row))]);
  }

  async takeIn(row: number): Promise<void> {
    await this.#leave(this.#leftOut.filter((other) => other !== row));
  }

  accept(row: number): void {
    this.accepted = [...this.accepted, row];
  }

  /** Sets every row with a fault aside. */
  async leaveOutFaults(): Promise<void> {
    if (this.state.step !== "rows" || this.busy) return;
    const id = this.state.preview.import_id;
    const faulty: number[] = [];
    this.busy = true;
    try {
      for (let part = 0; part < FAULT_PARTS_MAX; part += 1) {
        const asked = { state: "error", offset: part * PART_ROWS_MAX, limit: PART_ROWS_MAX };
        const { rows, total } = await this.desk.api.importRows(id, asked);
        faulty.push(...rows.map(({ row }) => row));
        if (faulty.length >= total || rows.length === 0) break;
      }
    } catch (error) {
      this.problem = words.import.notImported(errorText(error));
      return;
    } finally {
      this.busy = false;
    }
    await this.leaveOut(faulty);
  }

  /** Shows the rows of one kind. */
  async pick(filter: RowFilter): Promise<void> {
    const before = this.filter;
    this.filter = filter;
    const part = { state: stateOf(filter), offset: 0, limit: PART_ROWS };
    if (!(await this.#show(part, (preview) => preview))) this.filter = before;
  }

  /** More rows of the same kind. */
  async more(): Promise<void> {
    if (this.state.step !== "rows") return;
    const { preview } = this.state;
    const part = { state: stateOf(this.filter), offset: preview.rows.length, limit: PART_ROWS };
    await this.#show(part, (next) => ({
      ...next,
      rows: [...preview.rows, ...next.rows],
      errors: [...preview.errors, ...next.errors],
    }));
  }

  async confirm(): Promise<void> {
    if (this.state.step !== "rows" || this.busy) return;
    const { preview, name } = this.state;
    this.busy = true;
    this.problem = undefined;
    try {
      const result = await this.desk.api.confirmImport(preview.import_id);
      this.state = { step: "done", rows: preview.new + preview.changed, result };
      this.desk.live.wake("poke");
    } catch (error) {
      this.busy = false;
      if (isOvertaken(error)) await this.#lookAgain(name);
      else this.problem = words.import.notImported(errorText(error));
    } finally {
      this.busy = false;
    }
  }

  async undo(): Promise<void> {
    if (this.state.step !== "done" || this.busy) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await this.desk.api.undoImport(this.state.result.import_id);
      this.undone = true;
      this.desk.live.wake("poke");
    } catch (error) {
      this.problem = words.import.notUndone(errorText(error));
    } finally {
      this.busy = false;
    }
  }

  again(): void {
    this.#fixes = [];
    this.#leftOut = [];
    this.accepted = [];
    this.filter = "all";
    this.problem = undefined;
    this.taken = undefined;
    this.undone = false;
    this.state = { step: "file" };
  }

  /** The show moved on since the rows were planned: they are planned anew, so that they are true. */
  async #lookAgain(name: string): Promise<void> {
    const planned = await this.#plan((preview) => (this.state = { step: "rows", name, preview }));
    if (planned) this.problem = words.import.overtaken;
  }

  async #leave(rows: readonly number[]): Promise<void> {
    const before = this.#leftOut;
    this.#leftOut = rows;
    if (!(await this.#planRows())) this.#leftOut = before;
  }

  #planRows(): Promise<boolean> {
    if (this.state.step !== "rows") return Promise.resolve(false);
    const { name } = this.state;
    return this.#plan((preview) => (this.state = { step: "rows", name, preview }));
  }

  /** Tells the desk everything that was chosen and shows as many rows as before. */
  async #plan(show: (preview: ImportPreview) => void): Promise<boolean> {
    if ((this.state.step !== "match" && this.state.step !== "rows") || this.busy) return false;
    const { preview, step } = this.state;
    const seen = step === "rows" ? Math.min(PART_ROWS_MAX, Math.max(PART_ROWS, preview.rows.length)) : PART_ROWS;
    const choices = { columns: [...this.matches], fixes: this.#fixes ?? [], leave_out: [...this.#leftOut] };
    return this.#ask(
      () =>
        this.desk.api.chooseForImport(preview.import_id, choices, {
          state: stateOf(this.filter),
          offset: 0,
          limit: seen,
        }),
      show,
    );
  }

  async #show(part: ImportPart, merge: (preview: ImportPreview) => ImportPreview): Promise<boolean> {
    if (this.state.step !== "rows" || this.busy) return false;
    const { name, preview } = this.state;
    return this.#ask(
      () => this.desk.api.importRows(preview.import_id, part),
      (next) => (this.state = { step: "rows", name, preview: merge(next) }),
    );
  }

  async #ask(question: () => Promise<ImportPreview>, show: (preview: ImportPreview) => void): Promise<boolean> {
    this.busy = true;
    this.problem = undefined;
    try {
      show(await question());
      return true;
    } catch (error) {
      this.problem = words.import.notImported(errorText(error));
      return false;
    } finally {
      this.busy = false;
    }
  }
}

function stateOf(filter: RowFilter): string | undefined {
  return filter === "all" ? undefined : filter;
}

function isOvertaken(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 409 && error.code === "preview_overtaken";
}
