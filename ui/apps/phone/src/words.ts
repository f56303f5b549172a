// Every word the phone's user reads. Plain English, sentence case, verbs on buttons; errors say whether the entry is safe.

import type { SyncStatus } from "@showdesk/sync";

const entries = (count: number) => (count === 1 ? "1 entry" : `${count} entries`);
const withKept = (text: string, kept: number) => (kept === 0 ? text : `${text} – ${kept} kept on this phone`);
/** 21000 → "21,000". */
export const countText = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

export const words = {
  app: "Showdesk",
  tabs: { label: "Main", work: "Work", checks: "Checks", messages: "Messages", more: "More" },
  back: "Back to work",
  reload: "Reload this page",
  stopped: {
    title: "This screen stopped",
    text: "Your entries are safe on this phone. Show it again, or go back to work.",
    again: "Show it again",
    tell: (code: string) => `Tell the desk: ${code}.`,
  },
  noStorage: {
    title: "This browser keeps nothing",
    text: "So no entry would be safe here. Close private browsing, or use the phone's other browser. Then open the page again.",
  },
  live: {
    away: "Away from laptop. You can keep working. Entries are kept on this phone.",
    near: "The laptop is near again.",
  },

  important: (title: string, count: number) =>
    count === 1 ? `Important: ${title}` : `${count} important messages: ${title}`,
  alarm: {
    title: "Emergency",
    from: (who: string) => `From ${who}`,
    behind: "Your work stays open behind this.",
    confirm: "I have seen this",
    more: (count: number) => (count === 1 ? "1 more after this" : `${count} more after this`),
    tap: "No sound yet. Tap once.",
    silent: "This phone can't be heard. Tell people near you.",
    answered: {
      told: "The desk knows that you saw it.",
      kept: "Kept on this phone. The desk learns it when the laptop is near.",
      lost: "This phone is full, so your answer is not kept. Tell the desk yourself.",
    },
  },

  chip: {
    untrusted: "Not trusted",
    label: (text: string, leadsToChecks: boolean) =>
      `Entries: ${text}. Open ${leadsToChecks ? "my checks" : "waiting list"}`,
    allSent: (time: string) => `All sent ${time}`,
    starting: "Looking for laptop",
    loading: "Loading show",
    waiting: (count: number) => `${count} waiting`,
    sending: (done: number, total: number) => `Sending ${done} of ${total}`,
    away: "Away",
    kept: (count: number) => `${count} kept`,
    checking: (count: number) => (count === 1 ? "1 needs checking" : `${count} need checking`),
    handOver: (count: number) => `${count} to hand over`,
    removed: "Removed",
    joinAgain: "Join again",
    expired: "Time is over",
    reload: "Reload page",
    full: "Laptop is full",
  },
  strip: {
    away: (kept: number) =>
      kept === 0 ? "Away from laptop. You can keep working." : `Away from laptop – ${kept} kept on this phone`,
    untrusted: (kept: number) => withKept("This phone no longer trusts the laptop", kept),
    clockWrong: (kept: number) => withKept("The clock of this phone is wrong, so it can't trust the laptop", kept),
    otherLaptop: (kept: number) => withKept("Another laptop answers here, not your show's", kept),
    portal: (kept: number) => withKept("This Wi-Fi wants you to sign in, or it is not the show's", kept),
    what: "What to do",
    movedOn: (kept: number) => withKept("This phone goes on elsewhere. Enter nothing on this page", kept),
    removed: (kept: number) =>
      kept === 0 ? "This phone was removed" : `This phone was removed – ${entries(kept)} to hand over`,
    signedOut: (kept: number) =>
      kept === 0
        ? "The laptop does not know this phone any more. Scan the code again."
        : `The laptop does not know this phone any more. Scan the code again – ${kept} kept on this phone`,
    expired: (kept: number) => withKept("The time of this phone at the show is over. Ask the desk for more", kept),
    tooOld: (kept: number) =>
      kept === 0
        ? "This page is too old for the laptop. Reload it."
        : `This page is too old for the laptop. Reload it near the laptop – ${kept} kept on this phone`,
    full: (kept: number) =>
      kept === 0
        ? "The laptop's disk is full. Tell the desk."
        : `The laptop's disk is full. Tell the desk – ${kept} kept on this phone`,
  },

  join: {
    title: "Join the show",
    name: "Your name",
    nameHint: "First and last name. The desk sees it next to your entries.",
    clearName: "Clear name",
    change: "Change",
    changeName: "Change your name",
    job: "Your job",
    thisPhone: "This phone",
    keeps: "Keeps your entries when Wi-Fi drops",
    submit: "Join the show",
    asking: "Asking the desk",
    wifi: "Stay on the show's Wi-Fi",
    wifiHint: "If your phone says it has no internet, choose to stay on it. The show does not need internet.",
    showNumber: "Show this number to the desk",
    waiting: "Waiting for the desk to tap Allow",
    looking: "Looking for the laptop",
    keepOpen: "Keep this page open. It moves on by itself.",
    anew: "Ask for a new number",
    keepNumber: "Keep my number",
    stillGood: (number: string) => `Your number ${number} still works. Show it to the desk.`,
    scan: "Scan the code at the desk",
    scanHint: "Ask the desk to show the join code, then point your camera at it.",
    already: (show: string) => `This phone is already in ${show}`,
    alreadyHint: "Your entries are safe. You can go on working.",
    goToWork: "Go to work",
    again: "Join again",
    refused: "The desk said no",
    refusedHint: "Ask the desk to show a new code, then scan it.",
    tooLate: "The desk did not answer in time",
    tooLateHint: "Ask the desk to show a new code, then scan it.",
    unknown: "The laptop does not know this code",
    unknownHint: "Perhaps it is the code of another show. Ask the desk to show its code, then scan it.",
    usedUp: "This code no longer works",
    usedUpHint: "It was used or is too old. Ask the desk to show a new one, then scan it.",
    tooMany: "Too many tries",
    tooManyHint: (seconds: number | null) =>
      seconds === null ? "Wait a minute, then try again." : `Wait ${seconds} seconds, then try again.`,
    away: "Can't reach the laptop",
    awayHint: "Is this phone on the show's Wi-Fi? Nothing was lost. Try again.",
    goesOn: "Is this phone on the show's Wi-Fi? Your number stays, and it goes on by itself.",
    portal: "Another page answered",
    portalHint: "This Wi-Fi wants you to sign in, or it is not the show's. Join the show's Wi-Fi, then try again.",
    slow: "The laptop is slow to answer",
    slowHint: "Go nearer to it. Nothing was lost. Try again.",
    otherShow: (count: number) => `Finish sending first, ${count} waiting`,
    otherShowHint: "This phone still holds entries for another show. Open that show's page near its laptop.",
    notKept: "Joining was not kept",
    notKeptHint: "The storage of this phone is full. Free some space, then try again.",
    failed: "That did not work",
    tryAgain: "Nothing was lost. Try again.",
  },

  work: {
    weighIn: "Weigh-in",
    checkIn: "Check-in",
    left: "left",
    notOpen: "Not open at this stage of the show",
    weighed: (done: number, of: number) => `${done} of ${of} weighed`,
    here: (done: number, of: number) => `${done} of ${of} here`,
    last: "Your last entries",
    none: "Nothing yet. Your entries will show here.",
    weighNext: "Weigh next animal",
    checkInNext: "Check in next animal",
    noJob: "No job on this phone yet",
    noJobHint: "Ask the desk to give you check-in or scale.",
    loading: "Loading the show",
    loaded: (animals: number) => (animals === 1 ? "1 animal so far" : `${countText(animals)} animals so far`),
    loadingAway: "The show is not whole on this phone yet. It goes on when the laptop is near.",
    notYet: "This screen is not on this phone yet. Open it near the laptop. Your entries are safe.",
    decided: (count: number) =>
      count === 1 ? "1 of your entries was decided" : `${count} of your entries were decided`,
    asked: (count: number) =>
      count === 1 ? "The desk asks about 1 of your entries" : `The desk asks about ${count} of your entries`,
    fileAsked: "The desk asks for your entries as a file",
    fileAskedHint: "Save the file and bring it to the desk.",
    look: "Look",
  },

  find: {
    exhibitor: (number: number) => `#${number}`,
    pen: (pen: string) => `pen ${pen}`,
  },

  animal: {
    noTag: "No tag",
  },

  checkIn: {
    title: "Check-in",
    done: (tag: string) => `${tag} checked in`,
    undone: (tag: string) => `${tag} check-in undone`,
  },

  weighIn: {
    title: "Weigh-in",
  },

  tag: {
    title: "Fix tag",
  },

  undo: "Undo",

  state: {
    waiting: "Waiting",
    onPhone: "On this phone",
    atDesk: "At the desk",
    sent: (time: string) => `Sent ${time}`,
    checking: "Needs checking",
    refused: "Not accepted",
  },

  entry: {
    weight: (tag: string, weight: string) => `${tag}  ${weight}`,
    taken: (tag: string) => `${tag} weight taken back`,
    tag: (from: string, to: string) => `Tag ${from} → ${to}`,
    changed: (tag: string) => `${tag} changed`,
    at: (what: string, time: string) => `${what}, ${time}`,
    other: "Entry",
    message: "Message",
    messageTakenBack: "Message taken back",
  },

  moved: {
    title: "The laptop has moved to a new address",
    stay: "Your entries go there. Nothing to do.",
    failed: "That did not work. Nothing was lost. Try again.",
    waiting: (count: number) => `Stay on this page until ${entries(count)} ${count === 1 ? "is" : "are"} sent there.`,
    open: (address: string) => `Open the show at ${address}`,
  },

  fields: {
    tag: "tag",
    official_id: "official ID",
    pen: "pen",
    breed: "breed",
    sex: "sex",
    species: "species",
    exhibitor_id: "exhibitor",
    id_check: "ear tag check",
    arrived_at: "check-in",
    arrived_by: "check-in",
    official_weight_x10: "weight",
    weight_x10: "weight",
    back_number: "exhibitor number",
  } as Readonly<Record<string, string>>,
  functions: {
    admin: "manager",
    superintendent: "superintendent",
    checkin: "check-in",
    scale: "scale",
    gate: "gate",
    clerk: "ring clerk",
    announcer: "announcer",
    vet: "vet",
    viewer: "viewer",
  } as Readonly<Record<string, string>>,
  months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
  none: "none",
} as const;

/** Jobs as a person tells them: "Scale and check-in". */
export function jobsText(functions: readonly string[]): string {
  const named = functions.map((name) => words.functions[name] ?? name);
  const text = [named.slice(0, -1).join(", "), named.at(-1)].filter(Boolean).join(" and ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The word for a column. */
export function fieldWord(name: string): string {
  return words.fields[name] ?? name.replaceAll("_", " ");
}

/** The strip under the header, where there is one. */
export function stripText(status: SyncStatus, hasMovedOn: boolean): string | null {
  if (status.access === "signed_out" && hasMovedOn) return words.strip.movedOn(status.waiting);
  if (status.access === "removed") return words.strip.removed(status.waiting);
  if (status.access === "signed_out") return words.strip.signedOut(status.waiting);
  if (status.access === "expired") return words.strip.expired(status.waiting);
  if (status.access === "too_old") return words.strip.tooOld(status.waiting);
  if (status.access === "full") return words.strip.full(status.waiting);
  return status.link === "away" ? awayText(status) : null;
}

/** Whether the strip tells of something that gets better by itself, when the laptop is near again. */
export function isPlainAway({ access, away }: SyncStatus): boolean {
  return access === "ok" && away !== "untrusted" && away !== "clock_wrong";
}

function awayText({ away, waiting }: SyncStatus): string {
  switch (away) {
    case "untrusted":
      return words.strip.untrusted(waiting);
    case "clock_wrong":
      return words.strip.clockWrong(waiting);
    case "other_installation":
      return words.strip.otherLaptop(waiting);
    case "not_json":
      return words.strip.portal(waiting);
    case "network":
    case "timeout":
    case null:
      return words.strip.away(waiting);
  }
}
