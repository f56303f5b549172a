// The show as one object: animals with their people and weights. Only rows that changed are read again.

import type { LocalRow, LocalView } from "@showdesk/sync";

import {
  readAnimal,
  readExhibitor,
  readShow,
  readWeighIn,
  type Animal,
  type Exhibitor,
  type Show,
  type WeighIn,
} from "./rows.ts";

/** Before the show row has arrived: in no stage, so that nothing is entered in a unit that is not known. */
const NO_SHOW: Show = { id: "", name: "", stage: "", unit: "lb", timeZone: null };

/** What the screens read. */
export interface Book {
  readonly show: Show;
  readonly animals: ReadonlyMap<string, Animal>;
  readonly exhibitors: ReadonlyMap<string, Exhibitor>;
  /** Weighings that stand, by animal. */
  readonly weighIns: ReadonlyMap<string, readonly WeighIn[]>;
  readonly weighInById: ReadonlyMap<string, WeighIn>;
}

/** Reads the rows. Each reading is a new object around the same maps, so that what depends on it is asked again. */
export class BookReader {
  readonly #animals = new Kept("animals", readAnimal);
  readonly #exhibitors = new Kept("exhibitors", readExhibitor);
  readonly #weighIns = new Kept("weigh_ins", readWeighIn);
  readonly #standing = new Map<string, WeighIn[]>();

  read(view: LocalView): Book {
    const [showRow] = view.all("shows");
    this.#animals.update(view);
    this.#exhibitors.update(view);
    this.#weighIns.update(view, (before, after) => {
      if (before) this.#strike(before);
      if (after) this.#stand(after);
    });
    return {
      show: showRow ? readShow(showRow) : NO_SHOW,
      animals: this.#animals.values,
      exhibitors: this.#exhibitors.values,
      weighIns: this.#standing,
      weighInById: this.#weighIns.values,
    };
  }

  #stand(weighIn: WeighIn): void {
    if (weighIn.isVoid || weighIn.animalId === null) return;
    const others = this.#standing.get(weighIn.animalId) ?? [];
    this.#standing.set(weighIn.animalId, [...others, weighIn]);
  }

  #strike({ id, animalId }: WeighIn): void {
    if (animalId === null) return;
    const left = (this.#standing.get(animalId) ?? []).filter((one) => one.id !== id);
    if (left.length > 0) this.#standing.set(animalId, left);
    else this.#standing.delete(animalId);
  }
}

/** The person who shows an animal. */
export function exhibitorOf(book: Book, animal: Animal): Exhibitor | undefined {
  return animal.exhibitorId === null ? undefined : book.exhibitors.get(animal.exhibitorId);
}

/** How far a job is. */
export interface Progress {
  readonly done: number;
  readonly of: number;
}

/** Animals that are here. */
export function checkInProgress(book: Book): Progress {
  return progress(book, (animal) => animal.arrivedAt !== null);
}

/** Animals that have a weight, own ones that the desk has not counted yet included. */
export function weighInProgress(book: Book): Progress {
  return progress(
    book,
    ({ id, officialWeightX10 }) => officialWeightX10 !== null || lastWeighIn(book, id) !== undefined,
  );
}

function progress(book: Book, isDone: (animal: Animal) => boolean): Progress {
  let done = 0;
  for (const animal of book.animals.values()) if (isDone(animal)) done += 1;
  return { done, of: book.animals.size };
}

/** The weighing that counts: the last of the arrival and re-weigh chain, never the latest by time. */
export function lastWeighIn(book: Book, animalId: string): WeighIn | undefined {
  const all = book.weighIns.get(animalId);
  if (all === undefined) return undefined;
  const chain = all.filter(({ kind }) => kind === "arrival" || kind === "reweigh");
  const replaced = new Set(chain.map((weighIn) => weighIn.replacesId));
  const ends = chain.filter((weighIn) => !replaced.has(weighIn.id));
  const official = book.animals.get(animalId)?.officialWeightX10;
  return ends.find((weighIn) => weighIn.weightX10 === official) ?? ends.at(-1);
}

/** One table as the screens use it. Twenty thousand rows are compared in a moment, and only the changed ones read. */
class Kept<T extends { readonly id: string }> {
  readonly values = new Map<string, T>();
  readonly #table: string;
  readonly #read: (row: LocalRow) => T;
  readonly #rows = new Map<string, LocalRow>();

  constructor(table: string, read: (row: LocalRow) => T) {
    this.#table = table;
    this.#read = read;
  }

  /** Follows the view; `onChange` is told each row that came, changed or went. */
  update(view: LocalView, onChange: (before: T | undefined, after: T | undefined) => void = () => undefined): void {
    let seen = 0;
    for (const row of view.all(this.#table)) {
      seen += 1;
      if (this.#rows.get(row.id) === row) continue;
      const after = this.#read(row);
      onChange(this.values.get(row.id), after);
      this.#rows.set(row.id, row);
      this.values.set(row.id, after);
    }
    if (seen === this.#rows.size) return;
    for (const id of this.#rows.keys()) {
      if (view.row(this.#table, id) !== undefined) continue;
      onChange(this.values.get(id), undefined);
      this.#rows.delete(id);
      this.values.delete(id);
    }
  }
}
