// Saves what a person changed in a record: one try at a time, and a try sent again has one effect.

import { ApiProblem } from "@showdesk/api";
import { newId } from "@showdesk/sync/ids";

import type { Desk } from "../../data/desk.svelte.ts";
import { errorText, sentence } from "../../data/error-text.ts";
import { words } from "../../text/words.ts";
import type { RowChange } from "./row-change.ts";

/** What is said of a change that was saved, and how it is taken back. */
export interface Said {
  subject: string;
  saved: string;
  /** The change that undoes it, on the version it wrote; none if it cannot be undone. */
  back: ((version: number) => RowChange) | undefined;
}

export class Saves {
  readonly desk: Desk;
  busy = $state(false);
  /** Why the last try was not saved, and that the entry is safe. */
  problem = $state<string | undefined>(undefined);
  /** The fields that were refused, by name. */
  faults = $state.raw<Readonly<Record<string, string>>>({});
  #try: { of: string; op_id: string } | undefined;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  /** Whether the person is done: it was saved, or it waits for a decision. */
  async save(change: RowChange, said: Said): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = undefined;
    this.faults = {};
    try {
      const written = await this.desk.api.write({ ...change, op_id: this.#opIdOf(change) });
      this.#try = undefined;
      this.desk.live.wake("poke");
      switch (written.verdict) {
        case "saved":
          this.#tell(said, written.version);
          return true;
        case "waits":
          this.#tellWaiting(said.subject, written.conflict_id);
          return true;
        case "refused":
          this.problem = words.entries.refused(sentence(written.error.detail));
          this.faults = written.error.fields ?? {};
          return false;
      }
    } catch (error) {
      const why = errorText(error);
      this.problem = error instanceof ApiProblem ? words.entries.refused(why) : words.entries.notReached(why);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** The same change sent again, because no answer came, keeps its id. */
  #opIdOf(change: RowChange): string {
    const of = JSON.stringify(change);
    if (this.#try?.of !== of) this.#try = { of, op_id: newId() };
    return this.#try.op_id;
  }

  #tell(said: Said, version: number): void {
    const { back } = said;
    this.desk.toasts.show({
      text: said.saved,
      tone: "plain",
      ...(back !== undefined && {
        action: { label: words.entries.undo, run: () => void this.#undo(back(version), said.subject) },
      }),
    });
  }

  #tellWaiting(subject: string, clash: string | undefined): void {
    const address = clash === undefined ? "#/needs-checking" : `#/needs-checking/${clash}`;
    this.desk.toasts.show({
      text: words.entries.waits(subject),
      tone: "plain",
      action: { label: words.entries.toChecks, run: () => this.desk.router.go(address) },
    });
  }

  async #undo(change: RowChange, subject: string): Promise<void> {
    try {
      const written = await this.desk.api.write({ ...change, op_id: newId() });
      this.desk.live.wake("poke");
      if (written.verdict === "saved") this.desk.toasts.show({ text: words.entries.undone(subject), tone: "plain" });
      else if (written.verdict === "waits") this.#tellWaiting(subject, written.conflict_id);
      else this.desk.toasts.show({ text: words.entries.notUndone(sentence(written.error.detail)), tone: "bad" });
    } catch (error) {
      this.desk.toasts.show({ text: words.entries.notUndone(errorText(error)), tone: "bad" });
    }
  }
}
