// A tag as the desk stores it, and whether another animal already wears it.

import type { Book } from "../../show/book.ts";
import type { Animal } from "../../show/rows.ts";

/** Longest tag. */
export const TAG_CHARS_MAX = 20;

/** Trimmed, ASCII letters in capitals. */
export function tagOf(typed: string): string {
  return typed.trim().replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

/** The other animal of the species that has this tag. */
export function takenBy(book: Book, animal: Animal, tag: string): Animal | undefined {
  for (const other of book.animals.values()) {
    if (other.id !== animal.id && other.species === animal.species && other.tag === tag) return other;
  }
  return undefined;
}
