// The entries that check-in makes.

import type { Draft, Fields } from "@showdesk/sync";

import type { Animal } from "../../show/rows.ts";

/** What the person looked at; null is not looked at. */
export interface Seen {
  readonly idCheck: "match" | "mismatch" | null;
  readonly pen: string | null;
}

/** An arrival, and the entry that takes it back. */
export interface Arrival {
  readonly arrive: Draft;
  readonly takeBack: Draft;
}

/** The animal is here: only what the person set is part of the entry. */
export function arrival(animal: Animal, personId: string | null, seen: Seen, now: Date): Arrival {
  const pen = seen.pen?.trim() ?? animal.pen ?? "";
  const set: Fields = { arrived_at: now.toISOString(), arrived_by: personId };
  const before: Fields = { arrived_at: null, arrived_by: null };
  if (seen.idCheck !== null && seen.idCheck !== animal.idCheck) {
    set["id_check"] = seen.idCheck;
    before["id_check"] = animal.idCheck;
  }
  if (pen !== (animal.pen ?? "")) {
    set["pen"] = pen === "" ? null : pen;
    before["pen"] = animal.pen;
  }
  const draft = { table: "animals", id: animal.id, operation: "update" } as const;
  return { arrive: { ...draft, data: set }, takeBack: { ...draft, data: before } };
}
