// From a state a row had to the change that brings it back. Pure: the change is an ordinary new version.

import type { Row } from "../../data/desk-api.ts";
import { fieldText, isShown } from "../../text/fields.ts";
import { value, type ShowText } from "../../text/format.ts";
import { isSame } from "../../text/json.ts";
import type { RowChange } from "./row-change.ts";
import type { Version } from "./versions.ts";

/** Fields that the desk counts from other rows, or that are what the row is: nobody writes them. */
const COUNTED: Readonly<Record<string, ReadonlySet<string>>> = {
  animals: new Set(["prev_tags", "official_weight_x10", "adg_x1000"]),
  entries: new Set(["exhibitor_id", "animal_id", "family_id"]),
};
/** Whoever was first stays: another moment cannot be put in its place. */
const FIRST_STAYS = new Set(["arrived_at", "arrived_by", "released_at"]);

export function isCounted(table: string, field: string): boolean {
  return COUNTED[table]?.has(field) ?? false;
}

/** One field of the preview. */
export interface RestoredField {
  field: string;
  label: string;
  now: string;
  willBe: string;
}

export interface RestorePlan {
  change: RowChange;
  fields: readonly RestoredField[];
  /** Fields that differ and stay as they are, by name. */
  stays: readonly string[];
}

/** What it takes to make the row as it was; nothing to write if it is the same. */
export function restorePlan(wanted: Version, now: Version, show: ShowText): RestorePlan {
  const differs = Object.keys(wanted.snapshot).filter(
    (field) => isShown(field) && !isSame(wanted.snapshot[field], now.snapshot[field]),
  );
  const staysHere = (field: string) =>
    isCounted(wanted.table, field) ||
    (FIRST_STAYS.has(field) && !isEmpty(wanted.snapshot[field]) && !isEmpty(now.snapshot[field]));
  const written = differs.filter((field) => !staysHere(field));
  const pick = (from: Row): Row => Object.fromEntries(written.map((field) => [field, from[field] ?? null]));
  return {
    change: {
      table: wanted.table === "entries" ? "entries" : "animals",
      id: wanted.id,
      operation: "update",
      base_version: now.version,
      data: pick(wanted.snapshot),
      base: pick(now.snapshot),
    },
    fields: written.map((field) => ({
      field,
      label: fieldText(field).label,
      now: value(field, now.snapshot[field], show),
      willBe: value(field, wanted.snapshot[field], show),
    })),
    stays: differs.filter(staysHere).map((field) => fieldText(field).label),
  };
}

function isEmpty(json: unknown): boolean {
  return json === null || json === undefined;
}
