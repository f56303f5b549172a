// One text becomes a message: its first sentence stands large on the phone, the rest below. Pure.

import { words } from "../../text/words.ts";

/** Letters in a title, and in a whole text. */
export const TITLE_LETTERS = 80;
export const TEXT_LETTERS = 400;
/** A first sentence as short as “Lightning.” takes the next one along. */
const SHORT_LETTERS = 10;

export interface Split {
  title: string;
  body: string;
}

/** As the server counts: an emoji of one sign is one letter. */
export function letters(text: string): number {
  return [...text].length;
}

/** A first line of its own is the title; else the first sentence is, or as many words of it as fit. */
export function splitText(text: string): Split {
  const whole = text.trim();
  const line = whole.indexOf("\n");
  if (line > 0 && letters(whole.slice(0, line).trim()) <= TITLE_LETTERS) return cut(whole, line);
  const first = sentenceEnd(whole, 0);
  if (letters(whole.slice(0, first)) > TITLE_LETTERS) return cut(whole, wordEnd(whole));
  const second = sentenceEnd(whole, first);
  const takesNext = letters(whole.slice(0, first)) <= SHORT_LETTERS && letters(whole.slice(0, second)) <= TITLE_LETTERS;
  return cut(whole, takesNext ? second : first);
}

/** The text that is split into these two again. */
export function joinText(title: string, body: string | undefined): string {
  if (body === undefined || body === "") return title;
  const joined = `${title} ${body}`;
  return splitText(joined).title === title ? joined : `${title}\n${body}`;
}

function cut(text: string, at: number): Split {
  return { title: text.slice(0, at).trim(), body: text.slice(at).trim() };
}

/** Words that end in a dot in the middle of a sentence. */
const SHORTENED =
  /(?:^|[\s(])(?:[a-z]|no|nr|dr|mr|mrs|ms|st|jr|sr|lbs?|kg|min|max|approx|dept|div|supt|vs|[ap]\.m)\.$/i;

/** Where the sentence ends that begins at `from`, behind its sign. */
function sentenceEnd(text: string, from: number): number {
  for (const match of text.slice(from).matchAll(/[.!?]+(?=\s)/g)) {
    const end = from + match.index + match[0].length;
    if (!SHORTENED.test(text.slice(from, end))) return end;
  }
  return text.length;
}

/** Where the last word ends that fits into a title. */
function wordEnd(text: string): number {
  const head = [...text].slice(0, TITLE_LETTERS + 1).join("");
  const space = head.search(/\s\S*$/);
  return space > 0 ? space : [...text].slice(0, TITLE_LETTERS).join("").length;
}

/** What the desk fills in. */
export const PLACEHOLDERS = ["class", "time", "ring"] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** Finds them. */
export const PLACEHOLDER = new RegExp(`\\{(?:${PLACEHOLDERS.join("|")})\\}`, "g");

/** The placeholders in a text, each once. */
export function placeholdersIn(text: string): Placeholder[] {
  return PLACEHOLDERS.filter((name) => text.includes(`{${name}}`));
}

/** Why a text cannot be sent or kept. */
export function textFault(text: string): string | undefined {
  const { fault } = words.messages;
  const unknown = unknownIn(text)[0];
  if (text.trim() === "") return fault.text;
  if (letters(text.trim()) > TEXT_LETTERS) return fault.long;
  return unknown === undefined ? undefined : fault.fill(unknown);
}

/** Names in braces that nobody can fill in. */
export function unknownIn(text: string): string[] {
  const found = [...text.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1] ?? "");
  return found.filter((name) => !PLACEHOLDERS.some((known) => known === name));
}
