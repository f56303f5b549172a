// What an import wrote, in words.

import type { Row } from "../../data/desk-api.ts";
import { plural } from "../../text/plural.ts";
import { words } from "../../text/words.ts";

const ORDER = ["animals", "entries", "exhibitors", "weigh_ins", "classes"];

/** `11 animals`, `9 weights`: tables of which nothing was written are left out. */
export function writtenTexts(written: Row): string[] {
  const known = [...ORDER, ...Object.keys(written).filter((table) => !ORDER.includes(table))];
  return known.flatMap((table) => {
    const count = written[table];
    if (typeof count !== "number" || count === 0) return [];
    return [words.import.counts[table]?.(count) ?? plural(count, words.table(table), `${words.table(table)}s`)];
  });
}
