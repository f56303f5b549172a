// A phone's entries on their way in by hand: read, looked through, taken in. Nothing is written before the person says so.

import { ApiProblem, Unreachable } from "@showdesk/api";
import { joinRescueParts, readRescue, RescueUnreadable, type Rescue as CopyRead } from "@showdesk/sync/rescue-copy";

import type { RescueItem, RescueReport } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { words } from "../../text/words.ts";
import { fateOf } from "./describe.ts";
import { togetherIn, type Together } from "./together.ts";

export type Step =
  | { readonly step: "file" }
  | { readonly step: "reading" }
  | { readonly step: "look"; readonly report: RescueReport }
  | { readonly step: "done"; readonly report: RescueReport };

export class Rescue {
  readonly desk: Desk;
  state = $state.raw<Step>({ step: "file" });
  /** Entries that stay on the phone. */
  leftOut = $state.raw<readonly string[]>([]);
  busy = $state(false);
  problem = $state<string | undefined>(undefined);
  /** The file as the phone wrote it: its checksum holds for every letter of it. */
  #copy: unknown;
  /** Entries that the desk takes only together, by each of them. */
  #together: Together | undefined;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  readonly items: readonly RescueItem[] = $derived(
    this.state.step === "look" || this.state.step === "done" ? this.state.report.items : [],
  );

  /** Entries that would come in now. */
  readonly taken = $derived(this.items.filter((item) => !this.leftOut.includes(item.op_id)));

  /** Reads the text of a file, or codes, one a line; what is wrong is said in words. */
  async read(text: string): Promise<void> {
    if (this.busy) return;
    this.problem = undefined;
    const copy = this.#textOf(text);
    if (copy === undefined) return;
    this.#copy = JSON.parse(copy.text);
    this.#together = togetherIn(copy.read);
    this.leftOut = [];
    this.state = { step: "reading" };
    await this.#during(async () => {
      const report = await this.desk.api.previewRescue(this.#copy);
      this.state = { step: "look", report };
    });
    if (this.state.step === "reading") this.state = { step: "file" };
  }

  /** Ticks or unticks an entry, and with it those that the desk takes only together. */
  toggle(item: RescueItem): void {
    const group = this.#together?.get(item.op_id) ?? [item.op_id];
    const others = this.leftOut.filter((opId) => !group.includes(opId));
    this.leftOut = this.leftOut.includes(item.op_id) ? others : [...others, ...group];
  }

  toggleAll(): void {
    this.leftOut = this.leftOut.length === 0 ? this.items.map((item) => item.op_id) : [];
  }

  async takeIn(): Promise<void> {
    if (this.state.step !== "look" || this.busy || this.taken.length === 0) return;
    this.problem = undefined;
    await this.#during(async () => {
      const report = await this.desk.api.takeInRescue(this.#copy, [...this.leftOut]);
      this.state = { step: "done", report };
      this.desk.live.wake("poke");
    });
  }

  again(): void {
    this.state = { step: "file" };
    this.problem = undefined;
    this.#copy = undefined;
  }

  count(...fates: readonly ReturnType<typeof fateOf>[]): number {
    return this.items.filter((item) => fates.includes(fateOf(item))).length;
  }

  /** The text of a whole copy that was read without a fault; else says what is missing. */
  #textOf(typed: string): { readonly text: string; readonly read: CopyRead } | undefined {
    const lines = typed.split(/\r?\n/).filter((line) => line.trim() !== "");
    if (lines.length === 0) {
      this.problem = words.rescue.nothingTyped;
      return undefined;
    }
    try {
      const text = lines.every((line) => line.startsWith("SDR1:")) ? this.#joined(lines) : typed.trim();
      return text === undefined ? undefined : { text, read: readRescue(text) };
    } catch (error) {
      if (!(error instanceof RescueUnreadable)) throw error;
      this.problem = words.rescue.why[error.fault];
      return undefined;
    }
  }

  #joined(codes: readonly string[]): string | undefined {
    const joined = joinRescueParts(codes);
    if ("text" in joined) return joined.text;
    const { missing } = joined;
    const found = codes.filter((code, i) => codes.indexOf(code) === i).length;
    this.problem = words.rescue.codesMissing(found, found + missing.length, missing);
    return undefined;
  }

  async #during(work: () => Promise<void>): Promise<void> {
    const isTaking = this.state.step === "look";
    this.busy = true;
    try {
      await work();
    } catch (error) {
      this.problem = problemText(error, isTaking);
    } finally {
      this.busy = false;
    }
  }
}

function problemText(error: unknown, isTaking: boolean): string {
  if (isTaking && error instanceof Unreachable) return words.rescue.unknown;
  const why: Readonly<Record<string, string>> = words.rescue.why;
  return (error instanceof ApiProblem ? why[error.code] : undefined) ?? errorText(error);
}
