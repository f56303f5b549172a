// The pages of a long list that this page holds. Pure: every change makes new ones.

import type { EntryRow } from "../../data/desk-api.ts";

/** One page of the list. */
export interface Part {
  rows: readonly EntryRow[];
  /** The state of the show it was asked in. */
  round: number;
}

export type Parts = ReadonlyMap<number, Part>;

/** Pages kept; those farthest from what is seen go first. */
const PARTS_MAX = 60;

export function onlyPart(index: number, part: Part): Parts {
  return new Map([[index, part]]);
}

/** With one page more, or anew; `here` is the page that is seen. */
export function withPart(before: Parts, index: number, part: Part, here: number): Parts {
  const parts = new Map(before).set(index, part);
  const far = [...parts.keys()].sort((a, b) => Math.abs(b - here) - Math.abs(a - here));
  for (const old of far.slice(0, Math.max(0, parts.size - PARTS_MAX))) parts.delete(old);
  return parts;
}

export const NO_PARTS: Parts = new Map();
