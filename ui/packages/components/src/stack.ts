// The parts of a bar that shows how a whole divides.

/** `waiting` is striped and `bad` striped the other way, so that they differ without their colours. */
export type StackTone = "waiting" | "phone" | "desk" | "done" | "bad" | "none";

export interface StackPart {
  tone: StackTone;
  value: number;
}

/** How each part is filled, in the bar and in its key. */
export const FILLS: Readonly<Record<StackTone, string>> = {
  waiting: "repeating-linear-gradient(135deg, var(--line) 0 2px, transparent 2px 4px)",
  phone: "color-mix(in srgb, var(--phone) 60%, var(--bg))",
  desk: "color-mix(in srgb, var(--desk) 72%, var(--bg))",
  done: "var(--accent)",
  bad: "repeating-linear-gradient(45deg, var(--bad) 0 3px, color-mix(in srgb, var(--bad) 55%, var(--bg)) 3px 6px)",
  none: "var(--active)",
};
