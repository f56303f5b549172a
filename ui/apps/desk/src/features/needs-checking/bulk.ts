// Many clashes under one rule: whose value each takes, which start left out and why, and what the table shows.
//
// Pure. What would really be written comes from the server's dry run.

import type { BulkResult, ConflictView } from "../../data/desk-api.ts";
import { decidesWholeRecord, sideButtons, uniqueSides } from "../../text/conflict-words.ts";
import { fieldRows, fieldText } from "../../text/fields.ts";
import { value, weight, weightDelta, type ShowText } from "../../text/format.ts";
import { isCard } from "../../text/group-words.ts";
import { textAt, type Json } from "../../text/json.ts";
import { listed, words } from "../../text/words.ts";
import { decisionRows } from "./decision.ts";
import { baseOf } from "./was.ts";

export type Rule = "phone" | "laptop" | "latest" | "scale";
export const RULES: readonly Rule[] = ["phone", "laptop", "latest", "scale"];

export type BulkSide = "phone" | "laptop";

/** Two weights further apart than this share of the heavier one are looked at alone. */
const LARGE_GAP = 0.03;

const IDENTITIES: readonly string[] = ["tag", "official_id", "tag_read"];

/** Whose value a clash takes under a rule, or why the rule says nothing about it. */
export function sideUnder(view: ConflictView, rule: Rule): { side: BulkSide } | { without: string } {
  const found = ruled(view, rule);
  if ("side" in found && !(decisionRows(view)[0]?.sides ?? []).includes(found.side)) {
    return { without: words.bulk.notThatSide };
  }
  return found;
}

function ruled(view: ConflictView, rule: Rule): { side: BulkSide } | { without: string } {
  switch (rule) {
    case "phone":
    case "laptop":
      return { side: rule };
    case "latest": {
      const [phone, laptop] = [madeAt(view, "client"), madeAt(view, "server")];
      if (Number.isNaN(phone) || Number.isNaN(laptop)) return { without: words.bulk.noTime };
      return { side: phone > laptop ? "phone" : "laptop" };
    }
    case "scale": {
      const [phone, laptop] = [isFromScale(view, "client"), isFromScale(view, "server")];
      if (phone === laptop) return { without: phone ? words.bulk.twoReadings : words.bulk.noReading };
      return { side: phone ? "phone" : "laptop" };
    }
  }
}

function madeAt(view: ConflictView, side: "client" | "server"): number {
  const point = view.timeline.find(({ what }) => what === side)?.at;
  return Date.parse(point ?? (side === "server" ? (textAt(view.server_author, "at") ?? "") : ""));
}

function isFromScale(view: ConflictView, side: "client" | "server"): boolean {
  const weighIn = view.weigh_ins?.[side];
  return weighIn?.source === "scale" || (weighIn?.scale ?? "") !== "";
}

/** Why a clash starts left out; undefined where nothing speaks against it. */
export function doubt(view: ConflictView, show: ShowText): string | undefined {
  if (view.records !== undefined) return isCard(view) ? words.bulk.card : words.bulk.group;
  if (view.kind === "unique_violation") return words.bulk.twice;
  if (view.kind === "rule" && view.rule !== "C1") return words.bulk.placing;
  if (decidesWholeRecord(view)) return wholeDoubt(view);
  if (view.contested.some((field) => IDENTITIES.includes(field))) return words.bulk.twoTags;
  const [lighter, heavier] = weights(view);
  if (lighter === undefined || heavier === undefined || heavier - lighter <= heavier * LARGE_GAP) return undefined;
  return words.bulk.apart(weight(heavier - lighter, show.unit));
}

/** What a restored laptop lost is brought back for many at once: nobody else has changed it. */
function wholeDoubt(view: ConflictView): string | undefined {
  if (view.kind === "restored_server") return undefined;
  return view.kind.endsWith("missing") || view.kind === "missing_reference" ? words.bulk.missing : words.bulk.gone;
}

/** The two weights that contradict each other, the lighter first. */
function weights(view: ConflictView): number[] {
  const field = view.contested.find((name) => fieldText(name).kind === "weight");
  if (field === undefined) return [];
  const both = [view.client_data?.[field], view.server_data?.[field]];
  return both.filter((found): found is number => typeof found === "number").sort((one, other) => one - other);
}

/** What the columns Was, Phone and Laptop say about a clash. */
export function columns(view: ConflictView, show: ShowText): { was: string; phone: string; laptop: string } {
  if (view.records !== undefined || decidesWholeRecord(view)) return { was: "", phone: "", laptop: "" };
  const base = baseOf(view);
  return {
    was: base === undefined ? "" : valuesText(view, base, show),
    phone: valuesText(view, view.client_data ?? {}, show),
    laptop: valuesText(view, view.server_data ?? {}, show),
  };
}

/** The value that the dry run shows, or what is done with the record as a whole. */
export function resultText(view: ConflictView, result: BulkResult, side: BulkSide, show: ShowText): string {
  if (view.records !== undefined || decidesWholeRecord(view)) return sideButtons(view)[side];
  const unique = uniqueSides(view);
  if (unique !== undefined) return words.checks.given(valuesText(view, view.client_data ?? {}, show), unique[side]);
  return valuesText(view, result.values, show);
}

/** How far a weight moves from what it was; empty for anything else. */
export function changeText(view: ConflictView, result: BulkResult, show: ShowText): string {
  const field = fieldRows(view.contested)[0]?.[0];
  if (field === undefined || fieldText(field).kind !== "weight") return "";
  const [from, to] = [baseOf(view)?.[field] ?? view.server_data?.[field], result.values[field]];
  if (typeof from !== "number" || typeof to !== "number") return "";
  return from === to ? words.bulk.stays : `${weightDelta(from, to)} ${show.unit}`;
}

function valuesText(view: ConflictView, row: Readonly<Record<string, Json>>, show: ShowText): string {
  const fields = fieldRows(view.contested).flatMap((group) => group[0] ?? []);
  const one = fields[0];
  if (fields.length === 1 && one !== undefined) return value(one, row[one], show);
  return listed(fields.map((field) => `${fieldText(field).label} ${value(field, row[field], show)}`));
}
