// Saves what a person changed in a record: one try at a time, and a try sent again has one effect.

import { ApiProblem } from "@showdesk/api";
import { newId } from "@showdesk/sync/ids";

import type { WrittenTogether } from "../../data/desk-api.ts";
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

/** The same of several rows that are saved as one. */
export interface SaidTogether extends Omit<Said, "back"> {
  back: (versions: readonly number[]) => readonly RowChange[];
  /** Called before it is undone, so that nothing asks for rows while they go. */
  undoing: () => void;
}

type Telling = Omit<SaidTogether, "back"> & { back: SaidTogether["back"] | undefined };

export class Saves {
  readonly desk: Desk;
  busy = $state(false);
  /** Why the last try was not saved, and that the entry is safe. */
  problem = $state<string | undefined>(undefined);
  /** The fields that were refused, by name. */
  faults = $state.raw<Readonly<Record<string, string>>>({});
  #try: { of: string; group: string; op_ids: readonly string[] } | undefined;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  /** Whether the person is done: it was saved, or it waits for a decision. */
  save(change: RowChange, { back, ...said }: Said): Promise<boolean> {
    const together = back && ((versions: readonly number[]) => [back(versions[0] ?? 0)]);
    return this.#save([change], { ...said, back: together, undoing: () => undefined });
  }

  /** The same with several rows: all of them are saved, or none. */
  saveTogether(changes: readonly RowChange[], said: SaidTogether): Promise<boolean> {
    return this.#save(changes, said);
  }

  async #save(changes: readonly RowChange[], said: Telling): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = undefined;
    this.faults = {};
    try {
      const written = await this.#write(changes, this.#tryOf(changes));
      this.#try = undefined;
      this.desk.live.wake("poke");
      switch (written.verdict) {
        case "saved":
          this.#tell(said, written.versions);
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

  /** The same changes sent again, because no answer came, keep their ids. */
  #tryOf(changes: readonly RowChange[]): { group: string; op_ids: readonly string[] } {
    const of = JSON.stringify(changes);
    if (this.#try?.of !== of) this.#try = { of, group: newId(), op_ids: changes.map(() => newId()) };
    return this.#try;
  }

  async #write(
    changes: readonly RowChange[],
    { group, op_ids }: { group: string; op_ids: readonly string[] },
  ): Promise<WrittenTogether> {
    const named = changes.map((change, place) => ({ ...change, op_id: op_ids[place] ?? newId() }));
    const [only] = named;
    if (named.length > 1 || only === undefined) return this.desk.api.writeTogether(named, group);
    const written = await this.desk.api.write(only);
    return written.verdict === "saved" ? { verdict: "saved", versions: [written.version] } : written;
  }

  #tell(said: Telling, versions: readonly number[]): void {
    const { back } = said;
    this.desk.toasts.show({
      text: said.saved,
      tone: "plain",
      ...(back !== undefined && {
        action: { label: words.entries.undo, run: () => void this.#undo(back(versions), said) },
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

  async #undo(changes: readonly RowChange[], { subject, undoing }: Telling): Promise<void> {
    undoing();
    try {
      const written = await this.#write(changes, { group: newId(), op_ids: [] });
      this.desk.live.wake("poke");
      if (written.verdict === "saved") this.desk.toasts.show({ text: words.entries.undone(subject), tone: "plain" });
      else if (written.verdict === "waits") this.#tellWaiting(subject, written.conflict_id);
      else this.desk.toasts.show({ text: words.entries.notUndone(sentence(written.error.detail)), tone: "bad" });
    } catch (error) {
      this.desk.toasts.show({ text: words.entries.notUndone(errorText(error)), tone: "bad" });
    }
  }
}
