// The entries that check-in makes.

import type { Draft, Fields } from "@showdesk/sync";

import type { Animal } from "../../show/rows.ts";

/** What the person looked at; null is not looked at. */
export interface Seen {
  readonly idCheck: "match" | "mismatch" | null;
  readonly pen: string | null;
  readonly papers: Papers | null;
}

/** What a health paper can be found to be at the gate. */
export const PAPERS = ["ok", "hold", "unchecked"] as const;
export type Papers = (typeof PAPERS)[number];

/** An arrival, and the entries that take it back. */
export interface Arrival {
  readonly arrive: readonly [Draft, ...Draft[]];
  readonly takeBack: readonly [Draft, ...Draft[]];
}

/** Who may write everything of an arrival; for all others the papers are an entry of their own. */
const WHOLE_ARRIVAL = "admin";

/** The animal is here: only what the person set is part of the entry. */
export function arrival(
  animal: Animal,
  person: { readonly id: string | null; readonly functions: readonly string[] },
  seen: Seen,
  now: Date,
): Arrival {
  const pen = seen.pen?.trim() ?? animal.pen ?? "";
  const set: Fields = { arrived_at: now.toISOString(), arrived_by: person.id };
  const before: Fields = { arrived_at: null, arrived_by: null };
  if (seen.idCheck !== null && seen.idCheck !== animal.idCheck) {
    set["id_check"] = seen.idCheck;
    before["id_check"] = animal.idCheck;
  }
  if (pen !== (animal.pen ?? "")) {
    set["pen"] = pen === "" ? null : pen;
    before["pen"] = animal.pen;
  }
  const draft = (data: Fields): Draft => ({ table: "animals", id: animal.id, operation: "update", data });
  if (seen.papers === null || seen.papers === animal.healthCheck) {
    return { arrive: [draft(set)], takeBack: [draft(before)] };
  }
  const [papers, papersBefore] = [{ health_check: seen.papers }, { health_check: animal.healthCheck }];
  if (person.functions.includes(WHOLE_ARRIVAL)) {
    return { arrive: [draft({ ...set, ...papers })], takeBack: [draft({ ...before, ...papersBefore })] };
  }
  return { arrive: [draft(set), draft(papers)], takeBack: [draft(before), draft(papersBefore)] };
}
