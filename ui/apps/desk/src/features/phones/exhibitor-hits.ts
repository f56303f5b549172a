// The exhibitors among animals that were found. Pure.

import type { EntryRow } from "../../data/desk-api.ts";

const SHOWN_MAX = 6;

export interface Exhibitor {
  id: string;
  name: string;
  number: number | undefined;
}

/** Each once, in the order they were found, if name or number is what was typed. */
export function exhibitorsIn(rows: readonly EntryRow[], wanted: string): Exhibitor[] {
  const found = rows
    .map((row) => ({ id: row.exhibitor_id, name: row.exhibitor, number: row.back_number ?? undefined }))
    .filter(({ name, number }) => name.toLowerCase().includes(wanted) || String(number ?? "") === wanted);
  return [...new Map(found.map((one) => [one.id, one])).values()].slice(0, SHOWN_MAX);
}
