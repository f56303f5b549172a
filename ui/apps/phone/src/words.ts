// Every word the phone's user reads. Plain English, sentence case, verbs on buttons; errors say whether the entry is safe.

import type { SyncStatus } from "@showdesk/sync";

const entries = (count: number) => (count === 1 ? "1 entry" : `${count} entries`);

export const words = {
  app: "Showdesk",
  tabs: { label: "Main", work: "Work", checks: "My checks", more: "More" },
  back: "Back to work",

  chip: {
    label: (text: string) => `Entries: ${text}. Open waiting list`,
    allSent: (time: string) => `All sent ${time}`,
    starting: "Looking for laptop",
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
    thisPhone: "This phone",
    keeps: "Keeps your entries when Wi-Fi drops",
    submit: "Join",
    wifi: "Stay on the show's Wi-Fi",
    wifiHint: "If your phone says it has no internet, choose to stay on it. The show does not need internet.",
    showNumber: "Show this number to the desk",
    waiting: "Waiting for the desk to tap Allow",
    keepOpen: "Keep this page open. It moves on by itself.",
    anew: "Ask for a new number",
    scan: "Scan the code at the desk",
    scanHint: "Ask the desk to show the join code, then point your camera at it.",
    already: (show: string) => `This phone is already in ${show}`,
    alreadyHint: "Your entries are safe. You can go on working.",
    goToWork: "Go to work",
    again: "Join again",
    refused: "The desk said no",
    refusedHint: "Ask the desk to show a new code, then scan it.",
    usedUp: "This code no longer works",
    usedUpHint: "It was used or is too old. Ask the desk to show a new one, then scan it.",
    tooMany: "Too many tries",
    tooManyHint: "Wait a minute, then try again.",
    away: "Can't reach the laptop",
    awayHint: "Is this phone on the show's Wi-Fi? Nothing was lost. Try again.",
    otherShow: (count: number) => `Finish sending first, ${count} waiting`,
    otherShowHint: "This phone still holds entries for another show. Open that show's page near its laptop.",
    failed: "That did not work",
    tryAgain: "Nothing was lost. Try again.",
  },

  work: {
    weighIn: "Weigh-in",
    checkIn: "Check-in",
    left: "left",
    weighed: (done: number, of: number) => `${done} of ${of} weighed`,
    here: (done: number, of: number) => `${done} of ${of} here`,
    last: "Your last entries",
    none: "Nothing yet. Your entries will show here.",
    weighNext: "Weigh next animal",
    checkInNext: "Check in next animal",
    noJob: "No job on this phone yet",
    noJobHint: "Ask the desk to give you check-in or scale.",
    loading: "Loading the show",
    notYet: "This screen is not on this phone yet. Open it near the laptop.",
    decided: (count: number) =>
      count === 1 ? "1 of your entries was decided" : `${count} of your entries were decided`,
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
    digitsHint: "pad",
    deleteLast: "Delete last digit",
    none: "No animal with that number",
    noneHint: "Try the exhibitor number, the old tag or the name.",
    matches: (count: number) => `${count} found`,
    more: "Type more to see fewer.",
    exhibitor: (number: number) => `#${number}`,
  },

  animal: {
    tag: (tag: string) => `Tag ${tag}`,
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
    own: "Includes your own entry, not sent yet",
    change: "Change",
    gone: "This animal is not on this phone any more",
    goneHint: "The desk may have taken it out. Your entries are safe.",
  },

  checkIn: {
    title: "Check-in",
    submit: "Check in",
    done: (tag: string) => `${tag} checked in`,
    undone: (tag: string) => `${tag} check-in undone`,
    left: (count: number) => `${count} left to check in`,
    earTag: "Ear tag",
    matches: "Matches",
    mismatch: "Does not match",
    pen: "Pen",
    already: (time: string) => `Already checked in ${time}`,
    alreadyHint: "Nothing to do. Find the next one.",
    another: "Find another",
  },

  weighIn: {
    title: "Weigh-in",
    submit: "Save & next",
    weight: (unit: string) => `Weight in ${unit === "kg" ? "kilograms" : "pounds"}`,
    last: "Last weight",
    noLast: "No weight yet",
    saved: (weight: string) => `${weight} saved`,
    undone: (weight: string) => `${weight} taken back`,
    undoReason: "Taken back on the phone right after saving",
    delta: (change: string, when: string) => ({ change, when }),
    inDays: (days: number) => (days === 1 ? "in 1 day" : `in ${days} days`),
    since: (time: string) => `since ${time}`,
    aDay: "a day",
    again: (weight: string, time: string) => `Already weighed: ${weight} at ${time}`,
    againHint: "Saving makes this a re-weigh. The old weight stays in the list.",
    question: "Is this weight right?",
    notSaved: "Not saved yet",
    range: (group: string) => `${group} here`,
    rangeOf: (low: string, high: string) => `${low} to ${high}`,
    lastOn: (date: string) => `Last weight, ${date}`,
    gain: "Gain",
    readAgain: "Read the scale and the ear tag again.",
    yes: (weight: string) => `Yes, save ${weight}`,
    no: "Type it again",
    type: "Type the weight, then save.",
    noJob: "Weighing is not open on this phone",
    noJobHint: "The desk gives out the scale, and opens it for the stage of the show.",
  },

  tag: {
    title: "Fix tag",
    label: "New tag",
    hint: "Read it in the ear, letters too.",
    submit: "Save tag",
    was: (tag: string) => `Tag now: ${tag}`,
    taken: (tag: string) => `${tag} is already on another animal`,
    takenHint: (who: string) => `${who} has it. If both are right, the desk is asked.`,
    tooLong: "A tag has at most 20 letters and digits.",
    same: "That is the tag it has now.",
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

  waiting: {
    title: "Waiting",
    safe: "Your entries are safe here. They go out by themselves when the laptop is near.",
    none: "Nothing is waiting. Everything has reached the laptop.",
    lastSent: (time: string) => `Last sent ${time}.`,
    nextTry: (seconds: number) => (seconds <= 1 ? "Next try in a second." : `Next try in ${seconds} seconds.`),
    tryNow: "Try now",
    refused: "Not accepted by the desk",
    refusedHint: "The desk has a copy and can still apply it.",
    handedIn: "It was already handed in another way.",
    gotIt: "OK",
    beingChecked: "Being checked",
    toChecks: "Open my checks",
    trouble: "Something went wrong while sending",
    troubleHint: (code: string) => `Your entries are safe on this phone. Tell the desk: ${code}.`,
  },

  rescue: {
    title: "Can't get back to the laptop?",
    hint: (count: number) => `Hand your ${entries(count)} to the desk another way. They stay on this phone too.`,
    file: "Save file",
    codes: "Show QR",
    codesTitle: "Codes for the desk",
    nothing: "Nothing is waiting. There is nothing to hand over.",
    saved: (name: string) => `Saved as ${name}. Give it to the desk.`,
    tooMany: "Too many entries for codes. Save a file.",
    scan: "Let the desk scan the codes, one after the other.",
    code: (number: number, of: number) => `Code ${number} of ${of}`,
    before: "One back",
    next: "Next code",
    done: "Done",
    take: "Take in a file",
    takeHint: "Entries saved on a phone that can't reach the laptop",
    taken: (count: number) => `${entries(count)} taken in`,
    from: (name: string, known: number) =>
      `Entered by ${name}, sent in your name.${known === 0 ? "" : ` ${entries(known)} were here already.`}`,
    notTaken: "Nothing was taken in",
    why: {
      not_a_copy: "This is not a file that a phone saved for the desk.",
      damaged: "The file is damaged. Save it again on the other phone.",
      newer: "The file comes from a newer version. Reload this page near the laptop.",
      other_show: "The file belongs to another show.",
      failed: "The file could not be read or stored. Try again.",
    },
  },

  checks: {
    title: "My checks",
    open: "Being checked",
    decided: "Decided",
    answer: "Please answer",
    earlier: "Earlier",
    none: "Nothing to check. All your entries came in without problems.",
    subject: (animal: string, field: string) => `${animal}, ${field}`,
    why: "Two people changed this while a phone was away. The desk decides.",
    you: "You",
    other: (name: string | null) => name ?? "Laptop",
    until: (value: string) => `Until then everybody sees ${value}.`,
    keptOther: (by: string, field: string, kept: string, yours: string) =>
      `Decided by ${by}: ${field} ${kept} kept. Yours was ${yours}.`,
    keptYours: (by: string, field: string, kept: string) => `Decided by ${by}: ${field} ${kept} kept. That is yours.`,
    desk: "the desk",
    reason: (time: string, reason: string) => (reason === "" ? time : `${time}. “${reason}”`),
    ok: "OK",
    mistake: "Mine was a mistake",
    mistakeHint: "Your entry is taken back. The other value stays, and the desk need not decide.",
    takeBack: "Take mine back",
    disagree: "I disagree",
    note: "What is wrong?",
    noteHint: "The desk reads it and decides again. Until then the decided value stays.",
    send: "Send to the desk",
    cancel: "Cancel",
    awayNow: "The laptop is away. Try again when it is near; your answer is not sent yet.",
    done: (time: string) => `Done ${time}`,
    nothing: "nothing",
  },

  more: {
    title: "More",
    sun: "Sun mode",
    sunHint: "Black on white, larger",
    text: "Text size",
    normal: "Normal",
    large: "Large",
    largest: "Largest",
    level: { quick: "This phone: quick", field_ready: "This phone: field-ready" },
    levelHint: {
      quick: "Keeps your entries when Wi-Fi drops. Don't close or reload the page while away.",
      field_ready: "Opens without Wi-Fi.",
    },
    you: "You",
    show: "Show",
    jobs: "Jobs",
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

/** The word for a column. */
export function fieldWord(name: string): string {
  return words.fields[name] ?? name.replaceAll("_", " ");
}

/** The strip under the header, where there is one. */
export function stripText(status: SyncStatus): string | null {
  if (status.access === "removed") return words.strip.removed(status.waiting);
  if (status.access === "signed_out") return words.strip.signedOut(status.waiting);
  if (status.access === "too_old") return words.strip.tooOld(status.waiting);
  if (status.access === "full") return words.strip.full(status.waiting);
  return status.link === "away" ? words.strip.away(status.waiting) : null;
}
