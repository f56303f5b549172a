// Every word the phone's user reads. Plain English, sentence case, verbs on buttons; errors say whether the entry is safe.

import type { SyncStatus } from "@showdesk/sync";

const entries = (count: number) => (count === 1 ? "1 entry" : `${count} entries`);
const withKept = (text: string, kept: number) => (kept === 0 ? text : `${text} – ${kept} kept on this phone`);
/** 21000 → "21,000". */
const countText = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

export const words = {
  app: "Showdesk",
  tabs: { label: "Main", work: "Work", checks: "My checks", more: "More" },
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
    movedOn: "This phone goes on elsewhere. Enter nothing on this page.",
    removed: (kept: number) =>
      kept === 0 ? "This phone was removed" : `This phone was removed – ${entries(kept)} to hand over`,
    signedOut: (kept: number) =>
      kept === 0
        ? "The laptop does not know this phone any more. Scan the code again."
        : `The laptop does not know this phone any more. Scan the code again – ${kept} kept on this phone`,
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
    label: "Find by any number",
    hint: "Tag, 840, exhibitor #, name",
    clear: "Clear and find another",
    submit: "Find",
    pad: "Number pad",
    letters: "ABC",
    lettersHint: "name",
    digits: "123",
    deleteLast: "Delete last digit",
    none: "No animal with that number",
    noneHint: "Try the exhibitor number, the old tag or the name.",
    matches: (count: number) => `${countText(count)} found`,
    choose: (count: number) => `${countText(count)} found. Tap the right one.`,
    chooseMore: (count: number) => `${countText(count)} found. Type more, or tap the right one.`,
    notWhole: "The show is still loading, so an animal may be missing here.",
    exhibitor: (number: number) => `#${number}`,
    again: (query: string) => `You typed ${query}. Change it`,
    oldTag: (tag: string) => `Old tag ${tag}`,
    pen: (pen: string) => `pen ${pen}`,
  },

  animal: {
    tag: (tag: string) => `Tag ${tag}`,
    tagWord: "Tag",
    noTag: "No tag",
    exhibitor: "Exhibitor",
    pen: "Pen",
    notHere: "Not here yet",
    here: (time: string) => `Here since ${time}`,
    fixTag: "Fix tag",
    newTag: "New tag since entry",
    oldTag: (tag: string) => `Old tag was ${tag}. Check the number in the ear.`,
    disputed: (field: string) => `${field} is being checked`,
    disputedHint: "Two people entered different values. The desk decides.",
    change: "Change",
    pickOther: "Change the animal",
    hold: "Hold for the vet",
    holdHint: "The vet must see this animal first.",
    noPapers: "Health paper was not accepted",
    noPapersHint: "Ask the vet or the superintendent.",
    gone: "This animal is not on this phone any more",
    goneHint: "The desk may have taken it out. Your entries are safe.",
  },

  checkIn: {
    title: "Check-in",
    submit: (tag: string | null) => `Check in ${tag ?? "this animal"}`,
    done: (tag: string) => `${tag} checked in`,
    undone: (tag: string) => `${tag} check-in undone`,
    what: (tag: string) => `Check-in of ${tag}`,
    undoOf: (tag: string) => `Taking back the check-in of ${tag}`,
    left: (count: number) => `${countText(count)} left to check in`,
    earTag: "Ear tag",
    matches: "Matches",
    mismatch: "Does not match",
    fixFirst: "Fix the tag if you can read it. Or check in anyway: the desk sees that it does not match.",
    checkAnyway: "Check in anyway: the desk sees that it does not match.",
    papers: "Health paper",
    papersOf: { ok: "OK", hold: "Hold for vet", unchecked: "Not seen" },
    changePen: "Change the pen",
    already: (time: string) => `Already checked in ${time}`,
    alreadyHint: "Nothing to do. Find the next one.",
    another: "Find another",
    notOpen: "Check-in is not open on this phone",
    notOpenHint: "The desk gives out check-in, and opens it for the stage of the show.",
  },

  weighIn: {
    title: "Weigh-in",
    submit: "Save & next",
    weight: (unit: string) => `Weight in ${unit === "kg" ? "kilograms" : "pounds"}`,
    last: "Last weight",
    noLast: "No weight yet",
    saved: (weight: string) => `${weight} saved`,
    undone: (weight: string) => `${weight} taken back`,
    what: (weight: string, tag: string) => `Weight ${weight} for ${tag}`,
    undoOf: (weight: string, tag: string) => `Taking back ${weight} for ${tag}`,
    undoReason: "Taken back on the phone right after saving",
    left: (count: number) => `${countText(count)} left to weigh`,
    inDays: (days: number) => (days === 1 ? "in 1 day" : `in ${days} days`),
    since: (time: string) => `since ${time}`,
    aDay: "a day",
    again: "Weighed before. Saving makes a re-weigh.",
    disputed: "Its weight is being checked at the desk.",
    question: "Is this weight right?",
    notSaved: "Not saved yet",
    range: (group: string) => `${group} here`,
    rangeOf: (low: string, high: string) => `${low} to ${high}`,
    lastOn: (date: string) => `Last weight, ${date}`,
    gain: "Gain",
    change: "Change",
    readAgain: "Read the scale and the ear tag again.",
    yes: (weight: string) => `Yes, save ${weight}`,
    no: "Type it again",
    type: "Type the weight, then save.",
    point: "Decimal point",
    noJob: "Weighing is not open on this phone",
    noJobHint: "The desk gives out the scale, and opens it for the stage of the show.",
  },

  tag: {
    title: "Fix tag",
    label: "New tag",
    hint: "Read it in the ear, letters too.",
    submit: "Save tag",
    taken: (tag: string) => `${tag} is already on another animal`,
    takenHint: (who: string) => `${who} has it. If both are right, the desk is asked.`,
    tooLong: "A tag has at most 20 letters and digits.",
    same: "That is the tag it has now.",
    clear: "Clear the tag",
    done: "Back to check-in",
    what: (from: string, to: string) => `Tag ${to} in place of ${from}`,
    undone: (tag: string) => `Tag is ${tag} again`,
    notAllowed: "Fixing tags is not open on this phone",
    notAllowedHint: "Tell the superintendent what the ear says.",
    saved: (from: string, to: string) => `Tag ${from} is now ${to}`,
  },

  undo: "Undo",
  notSaved: {
    full: "Not saved: phone storage is full",
    fullHint: (what: string) => `${what} is only on this screen. Write it down, then free some space.`,
    failed: "Not saved",
    failedHint: (what: string) => `${what} is only on this screen. Write it down, then try again.`,
  },

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
  if (status.access === "signed_out" && hasMovedOn) return words.strip.movedOn;
  if (status.access === "removed") return words.strip.removed(status.waiting);
  if (status.access === "signed_out") return words.strip.signedOut(status.waiting);
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
