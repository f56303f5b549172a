// Finds animals by any number people have in hand: tag, its last digits, exhibitor number, official id, old tag, name.

import { exhibitorOf, type Book } from "../../show/book.ts";
import type { Animal } from "../../show/rows.ts";

/** Most animals that a search shows. */
export const FOUND_MAX = 20;

/** How well an animal fits, best first; nothing if it does not. */
const FITS = [
  "tag",
  "back_number",
  "official_id",
  "tag_end",
  "official_end",
  "old_tag",
  "name_start",
  "name_part",
] as const;

/** The animals that fit, best first. */
export function findAnimals(book: Book, query: string): Animal[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return [];
  const found: { animal: Animal; rank: number }[] = [];
  for (const animal of book.animals.values()) {
    const rank = rankOf(book, animal, wanted);
    if (rank >= 0) found.push({ animal, rank });
  }
  found.sort((a, b) => a.rank - b.rank || byTag(a.animal, b.animal));
  return found.slice(0, FOUND_MAX).map(({ animal }) => animal);
}

function rankOf(book: Book, animal: Animal, wanted: string): number {
  const tag = (animal.tag ?? "").toLowerCase();
  const officialId = (animal.officialId ?? "").toLowerCase();
  const exhibitor = exhibitorOf(book, animal);
  const names = [exhibitor?.name ?? "", animal.name ?? ""].map((name) => name.toLowerCase());
  const isNumber = /^#?\d+$/.test(wanted);
  const fits: Record<(typeof FITS)[number], boolean> = {
    tag: tag === wanted || (isNumber && withoutZeros(tag) === withoutZeros(wanted)),
    back_number: isNumber && exhibitor?.backNumber === Number(wanted.replace("#", "")),
    official_id: officialId === wanted,
    tag_end: tag.endsWith(wanted),
    official_end: wanted.length >= 3 && officialId.endsWith(wanted),
    old_tag: animal.prevTags.some((old) => old.toLowerCase().endsWith(wanted)),
    name_start: !isNumber && names.some((name) => name.split(" ").some((word) => word.startsWith(wanted))),
    name_part: !isNumber && wanted.length >= 2 && names.some((name) => name.includes(wanted)),
  };
  return FITS.findIndex((fit) => fits[fit]);
}

function withoutZeros(number: string): string {
  return number.replace(/^0+(?=.)/, "");
}

function byTag(a: Animal, b: Animal): number {
  return (a.tag ?? "").localeCompare(b.tag ?? "", "en", { numeric: true });
}
