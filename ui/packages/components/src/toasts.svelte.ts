// Short messages at the lower edge. One at a time: a new one replaces the last, whose undo stays in its record.

/** A message, and how to take back what it tells of. */
export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "bad";
  action?: { label: string; key?: string; run: () => void };
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
    this.hold();
    this.current = undefined;
  }

  /** Keeps the message while somebody reads it or points at it. */
  hold(): void {
    clearTimeout(this.#timer);
  }

  resume(): void {
    this.hold();
    this.#timer = setTimeout(() => (this.current = undefined), TOAST_MS);
  }
}
