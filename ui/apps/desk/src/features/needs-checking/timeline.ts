// The points of "Why did this happen?", in words.

import type { ConflictView, TimelinePoint } from "../../data/desk-api.ts";
import { conflictText, lowerFirst } from "../../text/conflict-words.ts";
import { fieldRows, fieldText } from "../../text/fields.ts";
import { duration, value, type ShowText } from "../../text/format.ts";
import type { Json } from "../../text/json.ts";
import { listed, words } from "../../text/words.ts";
import { storyOf } from "./was.ts";

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
  const all = storyOf(view);
  const story = all.filter((point) => told.includes(point.what));
  const later = all.filter((point) => !STORY.includes(point.what)).slice(-LATER_MAX);
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

/** Of several rows, or of one that is new to the laptop, the values stand in the table. */
function tellsValues(view: ConflictView): boolean {
  return view.records === undefined && view.kind !== "missing_reference";
}

/** Who deleted the record that the other one changed. */
const DELETED_BY: Readonly<Record<string, string>> = {
  delete_updated: "client",
  insert_deleted: "server",
  update_deleted: "server",
};

type PointText = Pick<Point, "icon" | "text"> & { who?: string };

function pointText(view: ConflictView, point: TimelinePoint, show: ShowText, skew: number): PointText {
  const text = conflictText(view);
  const values = tellsValues(view) ? valuesText(point, show) : "";
  const who = point.who ?? undefined;
  switch (point.what) {
    case "base":
      return { icon: "both", text: words.checks.bothHad(values) };
    case "server": {
      const icon = text.otherIsPhone ? "phone" : "laptop";
      const place = text.otherIsPhone ? "otherPhone" : "laptop";
      const did =
        DELETED_BY[view.kind] === "server" ? words.checks.deletedOn(place) : words.checks.savedOn(values, place);
      return named(who ?? text.other, { icon, text: did });
    }
    case "client": {
      const isGone =
        DELETED_BY[view.kind] === "client" || (view.kind === "restored_server" && view.contested.length === 0);
      const did = isGone ? words.checks.deletedOn("phone") : words.checks.savedOn(values, "phone");
      return named(who ?? text.author, { icon: "phone", text: did });
    }
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
    const field = row.find((member) => !isNothing(point.values[member]));
    if (field === undefined) return [];
    const { kind, label } = fieldText(field);
    const text = value(field, point.values[field], show);
    // One weight says by its unit what it is.
    return [kind === "weight" && rows.length === 1 ? text : `${lowerFirst(label)} ${text}`];
  });
  return listed(parts);
}

function isNothing(json: Json | undefined): boolean {
  return json === undefined || json === null || json === "";
}
