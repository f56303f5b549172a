// Short messages at the lower edge. One at a time: a new one replaces the last, whose undo stays in its record.

/** A message, and how to take back what it tells of. */
export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "bad";
  action?: { label: string; key?: string; run: () => void };
  /** It goes at this moment (milliseconds since 1970), read or not: what its action does ends then. */
  until?: number;
}

/** How long a message with an undo stands. */
export const TOAST_MS = 10_000;

export class Toasts {
  current = $state.raw<Toast | undefined>(undefined);
  #next = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  show(toast: Omit<Toast, "id">): void {
    this.current = { ...toast, id: this.#next++ };
    this.resume();
  }

  /** Runs the action, if there is one, and takes the message away. */
  act(): boolean {
    const action = this.current?.action;
    if (action === undefined) return false;
    this.dismiss();
    action.run();
    return true;
  }

  dismiss(): void {
    clearTimeout(this.#timer);
    this.current = undefined;
  }

  /** Keeps the message while somebody reads it or points at it. */
  hold(): void {
    if (this.current?.until === undefined) clearTimeout(this.#timer);
  }

  resume(): void {
    clearTimeout(this.#timer);
    const until = this.current?.until;
    const rest = until === undefined ? TOAST_MS : Math.max(0, until - Date.now());
    this.#timer = setTimeout(() => (this.current = undefined), rest);
  }
}
