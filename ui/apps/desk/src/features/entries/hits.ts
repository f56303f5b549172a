// What a search hit, counted: "9 by tag, 1 by old tag".

import { words } from "../../text/words.ts";

const KINDS = ["tag", "back_number", "official_id", "old_tag", "name", "class"] as const;

/** Nothing without a search, or where nothing was counted. */
export function hitsText(hits: Readonly<Record<string, number>> | null | undefined): string | undefined {
  const parts = KINDS.flatMap((kind) => {
    const count = hits?.[kind] ?? 0;
    return count === 0 ? [] : [words.entries.hits[kind](count)];
  });
  return parts.length === 0 ? undefined : parts.join(", ");
}
