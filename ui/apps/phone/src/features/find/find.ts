// Finds animals by any number people have in hand: tag, its last digits, exhibitor number, official id, old tag, name.
//
// What an animal can be found by is written down once, in the order of the tags; a key press only looks through it.

import { exhibitorOf, type Book } from "../../show/book.ts";
import type { Animal, Exhibitor } from "../../show/rows.ts";

/** Most animals that a search shows. */
export const FOUND_MAX = 20;

/** How an animal fits, best first. */
const FITS = [
  "tag",
  "back_number",
  "official_id",
  "tag_end",
  "official_end",
  "old_tag",
  "tag_start",
  "name_start",
  "name_part",
] as const;

/** What of an animal fits what was typed. */
export type Fit = (typeof FITS)[number];

/** An animal that fits. */
export interface Hit {
  readonly animal: Animal;
  readonly fit: Fit;
}

/** What a search found. */
export interface Found {
  /** At most `FOUND_MAX`, best first, then by tag. */
  readonly hits: readonly Hit[];
  /** All that fit. */
  readonly count: number;
  /** The one that is surely meant: the only one, or the only one whose whole number was typed. */
  readonly sure: Animal | undefined;
}

/** For nothing typed. */
export const NOTHING: Found = { hits: [], count: 0, sure: undefined };

/** Everything that one animal is found by, in lower case. */
interface Handle {
  readonly animal: Animal;
  readonly exhibitor: Exhibitor | undefined;
  readonly tag: string;
  readonly bareTag: string;
  readonly officialId: string;
  readonly oldTags: readonly string[];
  /** Names of the exhibitor and the animal, each word after a space. */
  readonly names: string;
  /** Orders tags as people count: 9, 10, A2, A10. */
  readonly order: string;
}

/** A whole number that names one animal; an exhibitor's number names all of hers. */
const WHOLE: ReadonlySet<Fit> = new Set(["tag", "back_number", "official_id"]);
/** Shorter ends of an official id fit too many. */
const OFFICIAL_END_MIN = 3;
const NAME_PART_MIN = 2;

/** One for each phone: what is written down is not written anew for each screen. */
const finders = new WeakMap<object, Finder>();

/** The finder of a phone. */
export function finderOf(phone: object): Finder {
  const known = finders.get(phone) ?? new Finder();
  finders.set(phone, known);
  return known;
}

/** The animals of a show, ready to be found. */
export class Finder {
  #book: Book | undefined;
  /** In the order of the tags. */
  #handles: Handle[] = [];
  /** Where in `#handles` an animal stands. */
  readonly #places = new Map<string, number>();
  readonly #known = new WeakMap<Animal, Handle>();

  /** Takes the show as it is now; what has not changed is not written down again. */
  follow(book: Book): this {
    if (book === this.#book) return this;
    this.#book = book;
    let isOrdered = book.animals.size === this.#handles.length;
    for (const animal of book.animals.values()) {
      const handle = this.#handle(book, animal);
      const place = this.#places.get(animal.id) ?? -1;
      const before = this.#handles[place];
      if (before === handle) continue;
      if (before?.order === handle.order) this.#handles[place] = handle;
      else isOrdered = false;
    }
    if (!isOrdered) this.#order(book);
    return this;
  }

  #order(book: Book): void {
    const handles = Array.from(book.animals.values(), (animal) => this.#handle(book, animal));
    this.#handles = handles.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
    this.#places.clear();
    for (const [place, { animal }] of this.#handles.entries()) this.#places.set(animal.id, place);
  }

  /** The animals that fit, best first. */
  find(query: string): Found {
    const wanted = query.trim().toLowerCase();
    if (wanted === "") return NOTHING;
    const isFit = fitting(wanted);
    const byFit = new Map<Fit, Hit[]>(FITS.map((fit) => [fit, []]));
    let count = 0;
    for (const handle of this.#handles) {
      const fit = isFit(handle);
      if (fit === undefined) continue;
      count += 1;
      const hits = byFit.get(fit);
      if (hits && hits.length < FOUND_MAX) hits.push({ animal: handle.animal, fit });
    }
    const hits = [...byFit.values()].flat().slice(0, FOUND_MAX);
    const [first] = hits;
    const whole = first && WHOLE.has(first.fit) ? hits.filter((hit) => WHOLE.has(hit.fit)) : [];
    const sure = count === 1 || whole.length === 1 ? first?.animal : undefined;
    return { hits, count, sure };
  }

  #handle(book: Book, animal: Animal): Handle {
    const exhibitor = exhibitorOf(book, animal);
    const known = this.#known.get(animal);
    if (known !== undefined && known.exhibitor === exhibitor) return known;
    const tag = (animal.tag ?? "").toLowerCase();
    const handle: Handle = {
      animal,
      exhibitor,
      tag,
      bareTag: withoutZeros(tag),
      officialId: (animal.officialId ?? "").toLowerCase(),
      oldTags: animal.prevTags.map((old) => old.toLowerCase()),
      names: ` ${exhibitor?.name ?? ""} ${animal.name ?? ""}`.toLowerCase(),
      order: tag.replace(/\d+/g, (digits) => digits.padStart(20, "0")),
    };
    this.#known.set(animal, handle);
    return handle;
  }
}

/** How a handle fits what is wanted; asked for each animal, so it compares texts that were made ready. */
function fitting(wanted: string): (handle: Handle) => Fit | undefined {
  const isNumber = /^#?\d+$/.test(wanted);
  const bare = withoutZeros(wanted);
  const backNumber = isNumber ? Number(wanted.replace("#", "")) : null;
  const wordStart = ` ${wanted}`;
  return ({ tag, bareTag, exhibitor, officialId, oldTags, names }) => {
    if (tag === wanted || (isNumber && bareTag === bare && tag !== "")) return "tag";
    if (backNumber !== null && exhibitor?.backNumber === backNumber) return "back_number";
    if (officialId === wanted) return "official_id";
    if (tag.endsWith(wanted)) return "tag_end";
    if (wanted.length >= OFFICIAL_END_MIN && officialId.endsWith(wanted)) return "official_end";
    if (oldTags.some((old) => old.endsWith(wanted))) return "old_tag";
    if (tag.startsWith(wanted)) return "tag_start";
    if (isNumber) return undefined;
    if (names.includes(wordStart)) return "name_start";
    return wanted.length >= NAME_PART_MIN && names.includes(wanted) ? "name_part" : undefined;
  };
}

function withoutZeros(number: string): string {
  return number.replace(/^0+(?=.)/, "");
}
