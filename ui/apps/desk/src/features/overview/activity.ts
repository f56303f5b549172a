// One line for each thing people did, newest first. Many of one kind at one time, as an import makes, are one line.

import type { Activity } from "../../data/desk-api.ts";
import { subjectAbout, subjectName } from "../../text/conflict-words.ts";
import { weight, type ShowText } from "../../text/format.ts";
import { at, textAt } from "../../text/json.ts";
import { words } from "../../text/words.ts";

/** What a line's picture shows. */
export type ActivityKind = "checkin" | "weigh" | "placing" | "call" | "message" | "entry" | "other";

export interface ActivityLine {
  seq: number;
  at: string;
  kind: ActivityKind;
  /** `Maria weighed`. */
  did: string;
  /** `#1042`, or `40 weights` of a run. */
  subject: string;
  /** `Angus steer, 612 lb`. */
  about: string;
  /** `Maria’s phone`. */
  device: string | undefined;
  fromPhone: boolean;
}

/** So many of one kind, one right after the other, are told as one. */
const RUN_MIN = 4;
/** Rows of one run are written at most so far apart. */
const RUN_GAP_MS = 2_000;

export function activityLines(activity: readonly Activity[], show: ShowText): ActivityLine[] {
  const told = activity.filter((item) => !isConsequence(item, activity));
  const lines: ActivityLine[] = [];
  for (let first = 0; first < told.length;) {
    const end = runEnd(told, first);
    const item = told[first];
    if (item === undefined) break;
    if (end - first >= RUN_MIN) {
      lines.push(runLine(item, end - first, end === told.length, show));
      first = end;
    } else {
      lines.push(activityLine(item, show));
      first += 1;
    }
  }
  return lines;
}

/** What a weigh-in changed in its animal follows from it: one line, not two. */
function isConsequence(item: Activity, activity: readonly Activity[]): boolean {
  return (
    item.table_name === "animals" &&
    item.what === "changed" &&
    activity.some(
      (cause) =>
        cause.table_name === "weigh_ins" &&
        cause.at === item.at &&
        textAt(cause.subject, "tag") === textAt(item.subject, "tag"),
    )
  );
}

function runEnd(items: readonly Activity[], first: number): number {
  let end = first + 1;
  for (; end < items.length; end += 1) {
    const [before, item] = [items[end - 1], items[end]];
    if (before === undefined || item === undefined || !isSameKind(before, item)) break;
  }
  return end;
}

function isSameKind(newer: Activity, older: Activity): boolean {
  return (
    newer.who === older.who &&
    newer.table_name === older.table_name &&
    newer.what === older.what &&
    didWords(newer) === didWords(older) &&
    Date.parse(newer.at) - Date.parse(older.at) <= RUN_GAP_MS
  );
}

export function activityLine(activity: Activity, show: ShowText): ActivityLine {
  const { subject, table_name: table } = activity;
  const weightX10 = at(subject, "weight_x10");
  const about = [subjectAbout(subject), typeof weightX10 === "number" ? weight(weightX10, show.unit) : ""];
  return {
    ...lineOf(activity),
    subject: subjectName(table, subject),
    about: about.filter((part) => part !== "").join(", "),
  };
}

/** A run that goes on beyond what was asked for has at least so many. */
function runLine(activity: Activity, count: number, goesOn: boolean, show: ShowText): ActivityLine {
  const line = activityLine(activity, show);
  return { ...line, subject: words.overview.many(count, goesOn, activity.table_name), about: "" };
}

function lineOf(activity: Activity): Omit<ActivityLine, "subject" | "about"> {
  return {
    seq: activity.seq,
    at: activity.at,
    kind: kindOf(activity),
    did: `${activity.who ?? words.history.somebody} ${didWords(activity)}`,
    device: textAt(activity.device, "name"),
    fromPhone: textAt(activity.device, "kind") === "phone",
  };
}

function didWords(activity: Activity): string {
  return words.overview.did(activity.table_name, activity.what, activity.fields);
}

const KINDS: Readonly<Record<string, ActivityKind>> = {
  announcements: "message",
  class_calls: "call",
  entries: "entry",
  placings: "placing",
  weigh_ins: "weigh",
};

function kindOf(activity: Activity): ActivityKind {
  if (activity.table_name === "animals" && activity.fields.includes("arrived_at") && activity.what === "changed") {
    return "checkin";
  }
  return KINDS[activity.table_name] ?? "other";
}
