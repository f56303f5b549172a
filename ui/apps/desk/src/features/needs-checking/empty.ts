// What stands in place of a list that has nothing in it.

import { words } from "../../text/words.ts";
import type { CheckList } from "./check-list.svelte.ts";

/** Once something was decided, "without problems" would not be true. */
export function emptyTitle(list: Pick<CheckList, "filter" | "counts">, entriesToday: number | undefined): string {
  if (list.filter !== "open") return words.checks.emptyFilter;
  const decided = list.counts?.decided ?? 0;
  if (decided > 0) return words.checks.allDecided(decided);
  if (entriesToday === undefined || entriesToday === 0) return words.checks.empty;
  return words.checks.emptyToday(entriesToday);
}
