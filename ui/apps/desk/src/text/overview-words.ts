// What the overview says: how the show stands, its phones, its rings, and what people did.

import { plural } from "./plural.ts";

const phones = (count: number) => plural(count, "phone", "phones");

export const overviewWords = {
  ready: "Ready. No phone has joined yet.",
  good: (connected: number, away: number) =>
    away === 0
      ? `All good. ${phones(connected)} connected.`
      : connected === 0
        ? `All good. ${phones(away)} away, none connected.`
        : `All good. ${phones(connected)} connected, ${String(away)} away.`,
  notAccepted: (count: number) => `${plural(count, "entry was", "entries were")} not accepted.`,
  /** `One thing needs you: a phone is away with unsent work.` */
  needsYou: (count: number, headline: string) => {
    const said = headline.charAt(0).toLowerCase() + headline.slice(1);
    return count === 1 ? `One thing needs you: ${said}.` : `${String(count)} things need you. First: ${said}.`;
  },
  lasts: (names: string, since: string | undefined) => (since === undefined ? `${names}.` : `${names}, for ${since}.`),
  lookAt: "Look at it",
  lookNow: "They are kept until somebody looks.",
  look: "Look now",
  needChecking: (count: number) => `${plural(count, "entry needs", "entries need")} checking.`,
  firstClass: (time: string) => `The first class they touch starts at ${time}.`,
  firstClassBegan: (time: string) => `The first class they touch began at ${time}.`,
  checkNow: "Check now",
  waitingOnPhones: (entries: number, on: number) =>
    `${plural(entries, "entry is", "entries are")} kept on ${phones(on)} until they reach the laptop.`,
  noneChecking: (entries: number) => `${plural(entries, "entry", "entries")} in the show, nothing to check.`,
  emptyShow: "The show has no entries yet.",
  import: "Import entries",

  checkedIn: "Checked in",
  toCome: (count: number) => (count === 0 ? "All here" : `${count.toLocaleString("en-US")} to come`),
  weighed: "Weighed",
  toWeigh: (count: number) => (count === 0 ? "All weighed" : `${count.toLocaleString("en-US")} to weigh`),
  needsChecking: "Needs checking",
  classIn: (time: string) => `First class in ${time}`,
  classBegan: (time: string) => `First class began ${time} ago`,
  decideNow: "Decide now",
  nothingToCheck: "Nothing to check",
  waiting: "Waiting on phones",
  onPhones: (count: number, oldest: string | undefined) =>
    `On ${phones(count)}${oldest === undefined ? "" : `, oldest ${oldest}`}`,
  noneWaiting: "All phones have sent",

  phones: "Phones",
  lastHour: "last 60 minutes",
  connected: "Connected",
  slow: "Slow",
  away: "Away",
  showAllPhones: (count: number) => `Show all ${String(count)}`,
  noPhones: "No phone has joined yet.",
  connectFirst: "Connect a phone",
  phoneWaiting: (count: number) => `${String(count)} waiting`,
  phoneAway: (since: string) => `away ${since}`,
  phoneSent: (at: string) => `All sent ${at}`,
  phoneJoined: (at: string) => `Joined ${at}, all sent`,
  phoneSlow: "Weak Wi-Fi, all sent",
  phoneNever: "Not seen yet",
  clockAhead: (by: string) => `clock ${by} fast`,
  clockBehind: (by: string) => `clock ${by} slow`,
  beats: (connected: number, slow: number, away: number) =>
    `Last 60 minutes: ${[
      connected > 0 ? `connected ${String(connected)}` : "",
      slow > 0 ? `slow ${String(slow)}` : "",
      away > 0 ? `away ${String(away)}` : "",
    ]
      .filter((part) => part !== "")
      .join(", ")}`,
  noBeats: "Not joined in the last 60 minutes",

  rings: "Now and next",
  noRings: "Rings and their classes appear here.",
  next: "Next",
  nothingInRing: "Nothing in the ring",
  noNext: "No class planned",
  since: (time: string) => `since ${time}`,
  /** A ring that is not open. */
  ringState: (status: string) => ({ closed: "Closed", break: "Break", hold: "On hold" })[status],

  activity: "Activity",
  noActivity: "What people enter appears here.",
  showAll: "Show all",
  /** A run of one kind. */
  many: (count: number, goesOn: boolean, table: string) => {
    const [one, many] = COUNTED[table] ?? ["record", "records"];
    return goesOn ? `${String(count)} ${many} or more` : plural(count, one, many);
  },
  showAllActivity: "Show all activity",
  did: (table: string, what: string, fields: readonly string[]) => {
    if (table === "animals" && what === "changed") return animalDid(fields);
    if (table === "weigh_ins" && what === "added") return "weighed";
    if (table === "weigh_ins") return "took back a weight of";
    if (table === "entries" && what === "added") return "entered";
    if (table === "entries" && fields.includes("out_reason")) return "marked as out";
    if (table === "entries") return `${what} the entry of`;
    if (table === "placings") return what === "added" ? "placed" : "changed the placing of";
    if (table === "class_calls") return "called";
    if (table === "announcements") return what === "added" ? "sent the message" : "took back the message";
    if (table === "shows" && fields.includes("stage")) return "changed the stage of";
    return what;
  },
} as const;

const COUNTED: Readonly<Record<string, readonly [string, string]>> = {
  animals: ["animal", "animals"],
  announcements: ["message", "messages"],
  class_calls: ["class", "classes"],
  classes: ["class", "classes"],
  entries: ["entry", "entries"],
  exhibitors: ["exhibitor", "exhibitors"],
  placings: ["animal", "animals"],
  rings: ["ring", "rings"],
  weigh_ins: ["animal", "animals"],
};

/** One thing people do has one name; a mixture is a change. */
function animalDid(fields: readonly string[]): string {
  const has = (...names: string[]) => fields.length > 0 && fields.every((field) => names.includes(field));
  if (has("arrived_at", "arrived_by", "pen", "id_check", "health_check") && fields.includes("arrived_at")) {
    return "checked in";
  }
  if (has("tag")) return "gave a new tag to";
  if (has("pen")) return "moved";
  if (has("id_check")) return "checked the ID of";
  if (has("health_check")) return "checked the health of";
  if (has("note")) return "wrote a note on";
  return "changed";
}
