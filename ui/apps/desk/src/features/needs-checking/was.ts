// What both sides knew before either wrote. Pure.

import type { ConflictView, Row, TimelinePoint } from "../../data/desk-api.ts";
import { uniqueSides } from "../../text/conflict-words.ts";

/** The earlier values; undefined where there is nothing that both once knew. */
export function baseOf(view: ConflictView): Row | undefined {
  if (view.rule === "C1") {
    // The row of the animal has the laptop's weight by now; the one before stands in the weigh-in that it replaced.
    const weight = view.weigh_ins?.base?.weight_x10;
    return weight === null || weight === undefined ? undefined : { official_weight_x10: weight };
  }
  // A rule speaks about the row as it is, and a wanted value of another row has no earlier one here.
  if (view.kind === "rule") return view.timeline.find(({ what }) => what === "base")?.values;
  return uniqueSides(view) === undefined ? view.base_data : undefined;
}

/** The story, with the weight that both knew before where only the weigh-ins tell it. */
export function storyOf(view: ConflictView): readonly TimelinePoint[] {
  const [base, at] = [baseOf(view), view.weigh_ins?.base?.weighed_at];
  const isTold = view.timeline.some(({ what }) => what === "base");
  if (view.rule !== "C1" || isTold || base === undefined || !at) return view.timeline;
  return [{ what: "base", at, values: base }, ...view.timeline];
}
