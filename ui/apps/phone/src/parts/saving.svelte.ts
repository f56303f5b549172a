// Saving an entry: one at a time, and the truth when it could not be stored.

import { RowMissing, StorageFull, type StoredOp } from "@showdesk/sync";

import { entryWords } from "../entry-words.ts";
import { failed, took } from "./noticing.ts";

/** How a save ended, as HTTP says it. */
const [KEPT, NO_ROOM] = [200, 507];

/** Why something is not saved, and what that means for it. */
export interface Problem {
  readonly title: string;
  readonly text: string;
}

/** The state of one screen's saving. */
export class Saving {
  problem = $state.raw<Problem>();
  /** A second tap while the first is being stored is the same tap. The button stays as it is: disabled, it would lose the focus. */
  #isBusy = false;

  /** Runs `save`; gives the entry once it is on this phone's disk. `what` is told to the person if it is not. */
  async run(what: string, save: () => Promise<StoredOp>): Promise<StoredOp | undefined> {
    if (this.#isBusy) return undefined;
    this.#isBusy = true;
    this.problem = undefined;
    const began = performance.now();
    try {
      const op = await save();
      took("save", began, KEPT);
      return op;
    } catch (error) {
      this.problem = problemOf(error, what);
      if (error instanceof StorageFull) took("save", began, NO_ROOM);
      if (!(error instanceof RowMissing)) failed(error);
      return undefined;
    } finally {
      this.#isBusy = false;
    }
  }

  clear(): void {
    this.problem = undefined;
  }
}

function problemOf(error: unknown, what: string): Problem {
  if (error instanceof StorageFull)
    return { title: entryWords.notSaved.full, text: entryWords.notSaved.fullHint(what) };
  if (error instanceof RowMissing) return { title: entryWords.animal.gone, text: entryWords.animal.goneHint };
  return { title: entryWords.notSaved.failed, text: entryWords.notSaved.failedHint(what) };
}
