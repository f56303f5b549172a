// The show as one object: animals with their people and weights. Made anew after each change, rows read only once.

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

/** Before the show row has arrived. */
const NO_SHOW: Show = { id: "", name: "", stage: "A", unit: "lb", timeZone: null };

/** What the screens read. */
export interface Book {
  readonly show: Show;
  readonly animals: ReadonlyMap<string, Animal>;
  readonly exhibitors: ReadonlyMap<string, Exhibitor>;
  /** Weighings that stand, by animal. */
  readonly weighIns: ReadonlyMap<string, readonly WeighIn[]>;
  readonly weighInById: ReadonlyMap<string, WeighIn>;
}

/** Reads the rows; a row that has not changed since is not read again. */
export class BookReader {
  readonly #animal = remembered(readAnimal);
  readonly #exhibitor = remembered(readExhibitor);
  readonly #weighIn = remembered(readWeighIn);

  read(view: LocalView): Book {
    const [showRow] = view.all("shows");
    const weighInById = byId(view, "weigh_ins", this.#weighIn);
    return {
      show: showRow ? readShow(showRow) : NO_SHOW,
      animals: byId(view, "animals", this.#animal),
      exhibitors: byId(view, "exhibitors", this.#exhibitor),
      weighIns: standing(weighInById.values()),
      weighInById,
    };
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
  const animals = [...book.animals.values()];
  return { done: animals.filter((animal) => animal.arrivedAt !== null).length, of: animals.length };
}

/** Animals that have a weight, own ones that the desk has not counted yet included. */
export function weighInProgress(book: Book): Progress {
  const animals = [...book.animals.values()];
  const isWeighed = (animal: Animal) => animal.officialWeightX10 !== null || lastWeighIn(book, animal.id) !== undefined;
  return { done: animals.filter(isWeighed).length, of: animals.length };
}

/** The weighing that counts: the last of the arrival and re-weigh chain, never the latest by time. */
export function lastWeighIn(book: Book, animalId: string): WeighIn | undefined {
  const chain = (book.weighIns.get(animalId) ?? []).filter(({ kind }) => kind === "arrival" || kind === "reweigh");
  const replaced = new Set(chain.map((weighIn) => weighIn.replacesId));
  const ends = chain.filter((weighIn) => !replaced.has(weighIn.id));
  const official = book.animals.get(animalId)?.officialWeightX10;
  return ends.find((weighIn) => weighIn.weightX10 === official) ?? ends.at(-1);
}

function standing(weighIns: Iterable<WeighIn>): Map<string, WeighIn[]> {
  const result = new Map<string, WeighIn[]>();
  for (const weighIn of weighIns) {
    if (weighIn.isVoid || weighIn.animalId === null) continue;
    const others = result.get(weighIn.animalId);
    if (others) others.push(weighIn);
    else result.set(weighIn.animalId, [weighIn]);
  }
  return result;
}

function byId<T extends { readonly id: string }>(view: LocalView, table: string, read: (row: LocalRow) => T) {
  const result = new Map<string, T>();
  for (const row of view.all(table)) result.set(row.id, read(row));
  return result;
}

function remembered<T extends object>(read: (row: LocalRow) => T): (row: LocalRow) => T {
  const known = new WeakMap<LocalRow, T>();
  return (row) => {
    let value = known.get(row);
    if (value === undefined) {
      value = read(row);
      known.set(row, value);
    }
    return value;
  };
}
