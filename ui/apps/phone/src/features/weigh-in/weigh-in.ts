// The entries that the scale makes.

import type { Draft } from "@showdesk/sync";

import type { Animal, Show, WeighIn } from "../../show/rows.ts";
import { entryWords } from "../../entry-words.ts";

/** A weight as it was read. A second one of the same animal replaces the first; both stay in the list. */
export function weighInDraft(
  id: string,
  animal: Animal,
  weightX10: number,
  at: { readonly show: Show; readonly before: WeighIn | undefined; readonly now: Date },
): Draft {
  return {
    table: "weigh_ins",
    id,
    operation: "insert",
    data: {
      animal_id: animal.id,
      kind: kindOf(at.show.stage, at.before),
      weight_x10: weightX10,
      unit: at.show.unit,
      weighed_at: at.now.toISOString(),
      tag_read: animal.tag,
      source: "manual",
      ...(at.before ? { replaces_id: at.before.id } : {}),
    },
  };
}

/** Takes an own weight back. */
export function voidDraft(id: string, personId: string | null, now: Date): Draft {
  const reason = entryWords.weighIn.undoReason;
  const data = { voided_at: now.toISOString(), voided_by: personId, voided_reason: reason };
  return { table: "weigh_ins", id, operation: "update", data, reason };
}

/** After placing it is a weigh-back; before, the first weight is the arrival and later ones are re-weighs. */
function kindOf(stage: string, before: WeighIn | undefined): string {
  if (stage === "D") return "weigh_back";
  return before || stage === "C" ? "reweigh" : "arrival";
}
