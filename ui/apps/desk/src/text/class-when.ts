// How soon the class of a clash begins, in the few words that a line has room for.

import type { ConflictView } from "../data/desk-api.ts";
import { duration, isSameDay, moment, shortMoment, type ShowText } from "./format.ts";
import { words } from "./words.ts";

export interface When {
  text: string;
  /** bad: it holds up a class now; warn: it soon will. */
  tone: "bad" | "warn" | "plain";
}

const SOON_MS = 60 * 60_000;
const COUNTED_MS = 2 * SOON_MS;
/** A class that has been called, and whose results are not yet final. */
const UNDER_WAY: readonly string[] = ["make_ready", "in_ring", "judged", "hold"];
const OVER: readonly string[] = ["official", "cancelled", "combined_into"];

export function classWhen(view: ConflictView, show: ShowText): When {
  const { class: shown } = view;
  if (!shown || OVER.includes(shown.status)) return { text: shortMoment(view.opened_at, show), tone: "plain" };
  if (view.severity === "results" && (UNDER_WAY.includes(shown.status) || hasBegun(shown.planned_at, show))) {
    return { text: words.checks.classWaits(shown.code ?? undefined), tone: "bad" };
  }
  return beginning(view, shown.planned_at ?? undefined, show);
}

function beginning(view: ConflictView, planned: string | undefined, show: ShowText): When {
  if (planned === undefined) return { text: shortMoment(view.opened_at, show), tone: "plain" };
  const left = Date.parse(planned) - show.now;
  if (left <= 0) return { text: words.checks.classDue(moment(planned, show)), tone: "warn" };
  if (left < COUNTED_MS)
    return { text: words.checks.classIn(duration(left)), tone: left <= SOON_MS ? "warn" : "plain" };
  const time = isSameDay(planned, show) ? moment(planned, show) : shortMoment(planned, show);
  return { text: words.checks.classAt(time), tone: "plain" };
}

function hasBegun(planned: string | null | undefined, show: ShowText): boolean {
  return planned !== null && planned !== undefined && Date.parse(planned) <= show.now;
}

/** `Class 6 in Ring 2 at 10:05.`; empty without a class. */
export function classPlace(view: ConflictView, show: ShowText): string {
  const { class: shown } = view;
  if (!shown) return "";
  const at = shown.planned_at ? moment(shown.planned_at, show) : undefined;
  return words.checks.classPlace(shown.code ?? undefined, shown.name, shown.ring ?? undefined, at);
}
