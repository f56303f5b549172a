// The way back of what was sent or changed last: a button in its toast, and Ctrl+Z, for as long as it is there.

import { ApiProblem } from "@showdesk/api";
import { TOAST_MS, type Toast } from "@showdesk/components";

import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { words } from "../../text/words.ts";

/** So long a message that goes out now is held back at the desk. */
export const UNDO_SECONDS = 8;
const text = words.messages;

/** What is said of a deed. */
export type Said = Pick<Toast, "text" | "action">;

interface Deed {
  says: string;
  /** Takes it back; answers what is said then. */
  undo: () => Promise<Said>;
  /** When nobody can take it back any more, milliseconds since 1970; undefined if that is no matter of seconds. */
  until?: number | undefined;
}

export class WayBack {
  readonly #desk: Desk;
  #last: { run: () => void; until: number } | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Says what was done, with the way back. */
  offer({ says, undo, until }: Deed): void {
    const run = () => {
      this.#last = undefined;
      void this.#go(undo);
    };
    this.#last = { run, until: until ?? Date.now() + TOAST_MS };
    this.#desk.toasts.show({
      text: says,
      tone: "plain",
      ...(until !== undefined && { until }),
      action: { label: text.undo, key: text.undoKey, run },
    });
  }

  /** Ctrl+Z: goes it, if it is still there; answers whether it was. */
  press(): boolean {
    const last = this.#last;
    if (last === undefined || Date.now() > last.until) return false;
    this.#desk.toasts.dismiss();
    last.run();
    return true;
  }

  async #go(undo: Deed["undo"]): Promise<void> {
    const { toasts, live } = this.#desk;
    try {
      toasts.show({ ...(await undo()), tone: "plain" });
    } catch (error) {
      const isOut = error instanceof ApiProblem && error.status === 409;
      toasts.show({ text: isOut ? text.tooLate : errorText(error), tone: "bad" });
    }
    // Whatever became of it, the lists show what is.
    live.wake("messages");
  }
}

/** When a message that was held back goes out; nothing if it was not. */
export function heldUntil(undoUntil: string | undefined): number {
  return undoUntil === undefined ? Date.now() + UNDO_SECONDS * 1000 : Date.parse(undoUntil);
}
