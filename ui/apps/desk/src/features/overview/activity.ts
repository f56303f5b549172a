// One line for each thing people did, newest first.

import type { Activity } from "../../data/desk-api.ts";
import { subjectAbout, subjectName } from "../../text/conflict-words.ts";
import { weight, type ShowText } from "../../text/format.ts";
import { at, textAt } from "../../text/json.ts";
import { words } from "../../text/words.ts";

export interface ActivityLine {
  at: string;
  /** `Maria weighed`. */
  did: string;
  /** `#1042`. */
  subject: string;
  /** `Angus steer, 612 lb`. */
  about: string;
  fromPhone: boolean;
}

/** What a weigh-in changed in its animal follows from it: one line, not two. */
export function activityLines(activity: readonly Activity[], show: ShowText): ActivityLine[] {
  const isConsequence = (item: Activity) =>
    item.table_name === "animals" &&
    activity.some(
      (cause) =>
        cause.table_name === "weigh_ins" &&
        cause.at === item.at &&
        textAt(cause.subject, "tag") === textAt(item.subject, "tag"),
    );
  return activity.filter((item) => !isConsequence(item)).map((item) => activityLine(item, show));
}

export function activityLine(activity: Activity, show: ShowText): ActivityLine {
  const { subject, table_name: table, device } = activity;
  const weightX10 = at(subject, "weight_x10");
  const about = [subjectAbout(subject), typeof weightX10 === "number" ? weight(weightX10, show.unit) : ""];
  const what = typeof activity.what === "string" ? activity.what : "";
  return {
    at: activity.at,
    did: `${activity.who ?? words.history.somebody} ${words.overview.did(table, what)}`,
    subject: subjectName(table, subject),
    about: about.filter((part) => part !== "").join(", "),
    fromPhone: textAt(device, "kind") === "phone",
  };
}
