// Which column of the file goes where. Pure: a column of ours comes from one column of the file at most.

import type { ImportPreview } from "../../data/desk-api.ts";
import { words } from "../../text/words.ts";

/** What each column of the file is, by its place; nothing for one that is left out. */
export type Matches = readonly (string | null)[];

/** One of these two is enough to know an animal by. */
const EITHER = ["tag", "official_id"];

export function matchesOf(preview: ImportPreview): Matches {
  return preview.header.map((column) => column.column ?? null);
}

/** Gives a column of the file another meaning; whichever had it before is left out. */
export function matched(
  matches: Matches,
  index: number,
  meaning: string | null,
): { matches: Matches; taken: number | undefined } {
  const taken = meaning === null ? -1 : matches.findIndex((other, place) => other === meaning && place !== index);
  return {
    matches: matches.map((other, place) => (place === index ? meaning : place === taken ? null : other)),
    taken: taken < 0 ? undefined : taken,
  };
}

/** What an entry needs and no column of the file holds. */
export function missingFrom(preview: ImportPreview, matches: Matches): string[] {
  const lacks = (name: string) => !matches.includes(name);
  const missing = preview.columns.filter(({ name, required }) => required && lacks(name) && !EITHER.includes(name));
  const names = missing.map(({ name }) => columnText(name));
  return EITHER.every(lacks) ? [...names, EITHER.map(columnText).join(words.import.match.or)] : names;
}

/** Whether a file cannot do without it. */
export function isNeeded(preview: ImportPreview, name: string): boolean {
  return preview.columns.some((column) => column.name === name && column.required);
}

export function columnText(name: string): string {
  return words.import.columns[name] ?? name;
}
