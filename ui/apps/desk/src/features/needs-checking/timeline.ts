// The points of "Why did this happen?", in words.

import type { ConflictView, TimelinePoint } from "../../data/desk-api.ts";
import { conflictText, lowerFirst } from "../../text/conflict-words.ts";
import { fieldRows, fieldText } from "../../text/fields.ts";
import { duration, value, type ShowText } from "../../text/format.ts";
import { listed, words } from "../../text/words.ts";

export type PointIcon = "both" | "laptop" | "phone" | "back" | "decided" | "undone" | "said";

export interface Point {
  at: string;
  icon: PointIcon;
  /** Stands before the text, in the colour of its side. */
  who?: string;
  text: string;
  /** The line to the next point is dashed: the phone was away then. */
  phoneAway: boolean;
}

/** A clock that is off by less says nothing worth reading. */
const SKEW_SHOWN_MS = 2_000;

/** What happened before a person decided. */
const STORY = ["base", "server", "client", "arrived"];
/** Of a group, or of a value that another row has, the record's own earlier values tell nothing. */
const STORY_OF_ENTRY = ["client", "arrived"];
/** Decisions and undos that are told; all of them stand in the record's history. */
const LATER_MAX = 2;

export function timelinePoints(view: ConflictView, show: ShowText): Point[] {
  const told = isAboutOneRow(view) ? STORY : STORY_OF_ENTRY;
  const story = view.timeline.filter((point) => told.includes(point.what));
  const later = view.timeline.filter((point) => !STORY.includes(point.what)).slice(-LATER_MAX);
  const points = [...story, ...later].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const arrived = points.findIndex((point) => point.what === "arrived");
  const skew = view.timeline.find((point) => typeof point.skew_ms === "number")?.skew_ms ?? 0;
  return points.map((point, index) => ({
    ...pointText(view, point, show, skew),
    at: point.at,
    phoneAway: index < arrived && (index > 0 || point.what === "client"),
  }));
}

function isAboutOneRow(view: ConflictView): boolean {
  return view.records === undefined && view.kind !== "unique_violation";
}

type PointText = Pick<Point, "icon" | "text"> & { who?: string };

function pointText(view: ConflictView, point: TimelinePoint, show: ShowText, skew: number): PointText {
  const text = conflictText(view);
  const values = view.records === undefined ? valuesText(point, show) : "";
  const who = point.who ?? undefined;
  switch (point.what) {
    case "base":
      return { icon: "both", text: words.checks.bothHad(values) };
    case "server": {
      const icon = text.otherIsPhone ? "phone" : "laptop";
      const place = text.otherIsPhone ? "otherPhone" : "laptop";
      return named(who ?? text.other, { icon, text: words.checks.savedOn(values, place) });
    }
    case "client":
      return named(who ?? text.author, { icon: "phone", text: words.checks.savedOn(values, "phone") });
    case "arrived":
      return { icon: "back", text: [words.checks.reached, skewText(skew)].join(" ").trim() };
    case "decided":
      return named(who, { icon: "decided", text: words.checks.decidedValues(values) });
    case "undone":
      return named(who, { icon: "undone", text: words.checks.tookBack });
    case "disagreed":
      return named(who ?? text.author, { icon: "said", text: words.checks.disagreed });
    case "withdrawn":
      return named(who ?? text.author, { icon: "undone", text: words.checks.tookEntryBack });
    default:
      return named(who, { icon: "both", text: point.what });
  }
}

function named(who: string | undefined, text: PointText): PointText {
  return who === undefined
    ? { ...text, text: text.text.charAt(0).toUpperCase() + text.text.slice(1) }
    : { ...text, who };
}

function skewText(skew: number): string {
  if (Math.abs(skew) < SKEW_SHOWN_MS) return "";
  return words.checks.clockOff(duration(skew), skew > 0);
}

function valuesText(point: TimelinePoint, show: ShowText): string {
  const rows = fieldRows(Object.keys(point.values));
  const parts = rows.flatMap((row) => {
    const field = row[0];
    if (field === undefined) return [];
    return [`${lowerFirst(fieldText(field).label)} ${value(field, point.values[field], show)}`];
  });
  return listed(parts);
}
