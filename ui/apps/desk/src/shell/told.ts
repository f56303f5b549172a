// A message of the window that the desktop did not take, as the window hands it to the page.

/** The window's event. */
export const TOLD = "showdesk:message";

/** What the page shows of it. */
export interface Told {
  readonly text: string;
  /** It stays until somebody has seen it. */
  readonly isUrgent: boolean;
  /** What the button says. */
  readonly open: string;
  /** Which page it opens. */
  readonly address: string;
}

/** Reads the event; nothing if it holds no message. */
export function toldByWindow(event: Event): Told | undefined {
  const detail: unknown = event instanceof CustomEvent ? event.detail : undefined;
  if (typeof detail !== "object" || detail === null) return undefined;
  const { title, text, open, address, urgent } = detail as Readonly<Record<string, unknown>>;
  if (typeof title !== "string" || typeof open !== "string" || typeof address !== "string") return undefined;
  if (!address.startsWith("#/")) return undefined;
  const more = typeof text === "string" && text !== "" ? `. ${text}` : "";
  return { text: `${title}${more}`, isUrgent: urgent === true, open, address };
}
