// Whether a typed weight deserves a question before it is saved. It asks, it never blocks.

import type { Book } from "../../show/book.ts";
import { lastWeighIn } from "../../show/book.ts";
import { daysBetween } from "../../show/format.ts";
import type { Animal } from "../../show/rows.ts";

/** What the scale screen tells about a weight. */
export interface Judgement {
  /** The weight before, if there is one: today's, or the one of the start. */
  readonly last: { readonly weightX10: number; readonly at: string | null; readonly isReweigh: boolean } | null;
  readonly changeX10: number;
  readonly days: number;
  /** The weight before is of today: told with its time. */
  readonly isToday: boolean;
  /** Tenths of the unit a day; nothing within a day. */
  readonly perDay: number | null;
  /** Lightest and heaviest of its kind at this show, once enough were weighed. */
  readonly range: { readonly lowX10: number; readonly highX10: number } | null;
  /** Ask before saving. */
  readonly asks: boolean;
}

/** Fewer weights than this say nothing about the rest. */
const RANGE_HEADS_MIN = 5;
/** How far outside the range is still believed, as a part of the bound. */
const RANGE_SLACK = 0.1;
/** Pounds a day that no animal of the species gains. */
const GAIN_MAX_LB: Readonly<Record<string, number>> = {
  cattle: 6,
  swine: 4,
  sheep: 1.5,
  goat: 1,
  poultry: 0.5,
  rabbit: 0.3,
};
const LB_PER_KG = 2.20462;
/** Two weighings of one day differ by less than this part, or the wrong animal stands on the scale. */
const SAME_DAY_SLACK = 0.05;

/** Judges a weight against the animal's own and its kind's. */
export function judge(book: Book, animal: Animal, weightX10: number, today: string): Judgement {
  const last = lastWeight(book, animal);
  const changeX10 = last ? weightX10 - last.weightX10 : 0;
  const days = last?.at ? daysBetween(last.at, today) : 0;
  const isToday = last !== null && last.isReweigh && days === 0;
  const perDay = last && days > 0 ? changeX10 / days : null;
  const range = rangeOf(book, animal);
  const isOutside =
    range !== null && (weightX10 < range.lowX10 * (1 - RANGE_SLACK) || weightX10 > range.highX10 * (1 + RANGE_SLACK));
  const unitPerLb = book.show.unit === "kg" ? 1 / LB_PER_KG : 1;
  const gainMaxX10 = (GAIN_MAX_LB[animal.species] ?? Number.POSITIVE_INFINITY) * unitPerLb * 10;
  const isOddGain = perDay !== null && (perDay < 0 || perDay > gainMaxX10);
  const isOddAgain = last !== null && last.isReweigh && Math.abs(changeX10) > last.weightX10 * SAME_DAY_SLACK;
  return { last, changeX10, days, isToday, perDay, range, asks: isOutside || isOddGain || isOddAgain };
}

function lastWeight(book: Book, animal: Animal): Judgement["last"] {
  const weighIn = lastWeighIn(book, animal.id);
  if (weighIn) return { weightX10: weighIn.weightX10, at: weighIn.weighedAt, isReweigh: true };
  if (animal.initWeightX10 === null) return null;
  return { weightX10: animal.initWeightX10, at: animal.initWeighedOn, isReweigh: false };
}

function rangeOf(book: Book, animal: Animal): Judgement["range"] {
  let [heads, lowX10, highX10] = [0, Number.POSITIVE_INFINITY, 0];
  for (const { id, species, sex, officialWeightX10: x10 } of book.animals.values()) {
    if (x10 === null || id === animal.id || species !== animal.species || sex !== animal.sex) continue;
    heads += 1;
    lowX10 = Math.min(lowX10, x10);
    highX10 = Math.max(highX10, x10);
  }
  return heads < RANGE_HEADS_MIN ? null : { lowX10, highX10 };
}
