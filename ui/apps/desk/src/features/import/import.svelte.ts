// An import from the chosen file to its undo. Nothing is written before the person says so.

import { ApiProblem } from "@showdesk/api";

import type { ImportPreview, ImportResult } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { words } from "../../text/words.ts";
import type { RowFilter } from "./rows.ts";

export type Step =
  | { step: "file" }
  | { step: "reading"; name: string }
  | { step: "rows"; name: string; preview: ImportPreview }
  | { step: "done"; rows: number; result: ImportResult };

export class Import {
  readonly desk: Desk;
  state = $state.raw<Step>({ step: "file" });
  filter = $state<RowFilter>("all");
  busy = $state(false);
  /** What went wrong, or what happened since. */
  problem = $state<string | undefined>(undefined);
  undone = $state(false);
  #file: File | undefined;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  async read(file: File): Promise<void> {
    this.#file = file;
    this.problem = undefined;
    this.undone = false;
    this.filter = "all";
    this.state = { step: "reading", name: file.name };
    try {
      const preview = await this.desk.api.previewImport(file);
      this.state = { step: "rows", name: file.name, preview };
    } catch (error) {
      this.problem = errorText(error);
      this.state = { step: "file" };
    }
  }

  async confirm(): Promise<void> {
    if (this.state.step !== "rows" || this.busy) return;
    const { preview } = this.state;
    this.busy = true;
    this.problem = undefined;
    try {
      const result = await this.desk.api.confirmImport(preview.import_id);
      this.state = { step: "done", rows: preview.new + preview.changed, result };
      this.desk.live.wake("poke");
    } catch (error) {
      await this.#refused(error);
    } finally {
      this.busy = false;
    }
  }

  /** The show moved on since the file was read: read it again, so that the rows are true. */
  async #refused(error: unknown): Promise<void> {
    const overtaken = error instanceof ApiProblem && error.status === 409 && this.#file !== undefined;
    if (overtaken && this.#file !== undefined) await this.read(this.#file);
    if (overtaken && this.problem === undefined) this.problem = words.import.overtaken;
    if (!overtaken) this.problem = errorText(error);
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
      this.problem = errorText(error);
    } finally {
      this.busy = false;
    }
  }

  again(): void {
    this.#file = undefined;
    this.problem = undefined;
    this.undone = false;
    this.state = { step: "file" };
  }
}
