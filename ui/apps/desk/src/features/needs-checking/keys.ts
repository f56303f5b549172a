// Which key does what on Needs checking. Pure, so that the table in the help and the page cannot drift apart unseen.

export type KeyAction =
  | "next"
  | "previous"
  | "fieldUp"
  | "fieldDown"
  | "phone"
  | "laptop"
  | "other"
  | "same"
  | "save"
  | "skip"
  | "ask"
  | "select"
  | "range"
  | "undo"
  | "search"
  | "help";

/** What the key event was aimed at. */
export type KeyTarget = "page" | "text" | "reason" | "settled" | "control";

const ACTIONS: Readonly<Record<string, KeyAction>> = {
  j: "next",
  k: "previous",
  ArrowUp: "fieldUp",
  ArrowDown: "fieldDown",
  "1": "phone",
  "2": "laptop",
  "3": "other",
  "4": "same",
  Enter: "save",
  s: "skip",
  a: "ask",
  x: "select",
  u: "undo",
  "/": "search",
  "?": "help",
};

type PressedKey = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

/** The action of a key; undefined where the key belongs to the thing that has the focus. */
export function keyAction(event: PressedKey, target: KeyTarget): KeyAction | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const found = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const action = found === "select" && event.shiftKey ? "range" : found;
  switch (target) {
    case "text":
      return undefined;
    case "reason":
      return action === "save" ? action : undefined;
    // Enter on a button presses it; where pressing it again would change nothing, it saves.
    case "control":
      return action === "save" ? undefined : action;
    case "settled":
    case "page":
      return action;
  }
}

/** What an event was aimed at, from the element that has the focus. */
export function keyTarget(element: EventTarget | null): KeyTarget {
  if (!(element instanceof HTMLElement)) return "page";
  if (element.dataset["keys"] === "reason") return "reason";
  // A tick has no text, but the space bar is its own, and Enter belongs to nothing that it could save.
  if (element.matches("input[type='checkbox']")) return "control";
  if (element.matches("input, textarea, select, [contenteditable]")) return "text";
  if (element.matches("[data-keys='side'][aria-pressed='true'], [data-keys='row'][aria-current]")) return "settled";
  if (element.matches("a, button, summary")) return "control";
  return "page";
}
