// What is said about phones and the people who carry them: what they do, what they may, how long, and how they go.

import { plural } from "./plural.ts";

const entries = (count: number) => plural(count, "entry", "entries");

/** What a person may do, as a switch says it. */
const may: Readonly<Record<string, string>> = {
  arrive: "Mark animals arrived",
  check_in: "Check animals in",
  entries: "Change entries",
  fix_tags: "Change ear tags",
  weigh: "Save weights",
  void_own_weight: "Take back own last weight",
  fix_weights: "Take back anyone’s weight",
  classes: "Change classes and their order",
  at_ring: "Mark animals ready or absent",
  calls: "Call classes",
  cards: "Save result cards",
  health: "Set health holds",
  messages: "Send messages",
  edit_contacts: "Change names and contacts",
  see_contacts: "See guardians’ phone numbers",
};

const lower = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

export const peopleWords = {
  title: "Phones and people",
  history: "What happened",
  poster: "Print poster",
  takeFile: "Take in a phone’s file",
  table: "Phones",
  filters: "Which phones",
  find: "Find a phone or person",
  findHint: "Name, phone or job",
  filter: {
    all: "All",
    connected: "Connected",
    away: "Away",
    unsent: "With unsent work",
    asking: "Asking to join",
    removed: "Removed",
  },
  phoneOf: (person: string) => `${person}’s phone`,
  column: { phone: "Phone", person: "Person", does: "Does", wifi: "Wi-Fi", work: "Work", level: "Level" },
  level: { quick: "Quick", field_ready: "Field-ready" } as Readonly<Record<string, string>>,
  levelNote: {
    quick: "Quick: works while its page stays open.",
    field_ready: "Field-ready: also opens away from the laptop.",
  } as Readonly<Record<string, string>>,
  levelUnknown: "–",

  connected: "Connected",
  weak: "Weak Wi-Fi",
  away: (time: string) => `Away ${time}`,
  never: "Not seen yet",
  ranOut: "Pass ran out",
  removedAt: (time: string) => `Removed ${time}`,
  allSent: "All sent",
  waiting: (count: number) => `${count.toLocaleString("en-US")} waiting`,
  notHandedIn: (count: number) => `${count.toLocaleString("en-US")} on it`,
  nothingLeft: "Nothing left on it",
  clerkIn: (ring: string) => `${ring} clerk`,

  empty: "No phone has joined yet.",
  connect: "Connect a phone",
  nothing: (query: string) => `No phone found for “${query}”.`,
  nothingHint: "Try part of the person’s name, the phone’s name, or a job such as “scale”.",
  none: {
    all: "No phone has joined yet.",
    connected: "No phone is connected now.",
    away: "No phone is away.",
    unsent: "Every phone has sent its work.",
    asking: "No phone is asking to join.",
    removed: "No phone was removed.",
  },
  showAll: "Show all phones",
  count: (count: number) => plural(count, "phone", "phones"),

  asking: {
    title: "Asking to join",
    hint: "Allow when the phone shows the same number.",
    wants: (jobs: string, platform: string) => [jobs, platform].filter((part) => part !== "").join(", "),
    knownAs: (name: string) => `Was here before as ${name}.`,
    change: "Change…",
    changeOf: (name: string) => `Change what ${name} does, then allow`,
    dialog: (name: string) => `Let ${name} in?`,
    number: "Number on the phone",
    allow: "Allow",
  },

  drawer: {
    /** `Maria Santos, scale. Android.` */
    about: (person: string, does: string, platform: string) =>
      `${person}, ${does}.${platform === "" ? "" : ` ${platform}.`}`,
    waitsAway: (count: number) =>
      count === 1
        ? "1 entry waits on this phone. It is safe and comes in when the phone is back."
        : `${count.toLocaleString("en-US")} entries wait on this phone. They are safe and come in when it is back.`,
    waitsHere: (count: number) =>
      count === 1
        ? "1 entry waits on this phone. It is on its way."
        : `${count.toLocaleString("en-US")} entries wait on this phone. They are on their way.`,
    oldest: (time: string) => `The oldest waits ${time}.`,
    nothingWaits: "Nothing waits on this phone: all it entered is on the laptop.",
    removedWith: (count: number) =>
      `This phone was removed with ${entries(count)} on it. ${count === 1 ? "It stays" : "They stay"} there until handed in as a file.`,
    removedClean: "This phone was removed. All it entered is on the laptop.",
    handIn: "Take in its file",
    comeBack: "To let it work again, connect it like a new phone.",
    ranOut: "Its pass ran out. It keeps its entries, and sends them once the pass is longer.",
    longer: "Give it longer",
    looksLike: (other: string) => `This looks like the same phone as ${other}, joined twice.`,
    join: "Make it one phone…",
    twoUse: "Two phones seem to use this one pass. Remove it, then let each of them join by itself.",
    asked: (time: string) => `Asked for a file ${time}. The phone shows it the next time it is near.`,

    may: (name: string) => `${name} may`,
    mayAll: (count: number) => `Show all ${String(count)}`,
    mayFewer: "Show fewer",
    mayOffice: "The office may do everything.",
    mayNothing: "Give this person a job first. A viewer only looks.",
    may_: may,
    mayUnknown: (key: string) => key.replaceAll("_", " "),
    given: "Given by hand",
    taken: "Taken away by hand",
    nowMay: (name: string, what: string) => `${name} may now ${lower(what)}.`,
    mayNot: (name: string, what: string) => `${name} may no longer ${lower(what)}.`,
    notSaved: (why: string) => `Not saved. ${why}`,

    work: "What and where",
    change: "Change…",
    does: "Does",
    where: "Where",
    everywhere: "Everywhere",
    pass: "Pass",
    passUntil: (time: string) => `Runs out ${time}`,
    passRanOut: (time: string) => `Ran out ${time}`,
    passNever: "Never runs out",
    level: "Level",
    joined: "Joined",
    clock: "Clock",

    happened: "What happened",
    happenedAll: "Show all",
    leftWifi: "Left Wi-Fi",
    happenedNothing: "Nothing yet.",
    happenedFailed: "The rest is as it was.",

    removeNote: (count: number) =>
      count === 0
        ? "Remove takes away its access at once."
        : `Remove takes away its access. The ${entries(count)} ${count === 1 ? "stays" : "stay"} on the phone until handed over.`,
    remove: "Remove phone…",
    askFile: "Ask for a file",
    askedFile: (name: string) => `${name} is asked for a file.`,
  },

  person: {
    title: (phone: string) => `Change ${phone}`,
    phone: "Name of the phone",
    person: "Person",
    jobs: "Does",
    needsName: "Type a name.",
    needsJob: "Choose at least one job.",
    save: "Save",
    saved: (phone: string) => `${phone} is changed. The phone hears of it at once.`,
    cancel: "Cancel",
    viewerHint: "A viewer looks and changes nothing.",
    officeHint: "The office may do everything, on the phone too.",
  },

  where: {
    rings: "Rings",
    allRings: "All rings",
    departments: "Departments",
    allDepartments: "All departments",
    exhibitors: "Exhibitors",
    exhibitorsHint: "A viewer sees the entries of these exhibitors, and what is public.",
    find: "Find an exhibitor",
    add: (name: string) => `Add ${name}`,
    take: (name: string) => `Take ${name} away`,
    nobody: "Nobody yet",
    nothing: "Nobody found.",
    failed: "The search got no answer.",
    unknown: "Another exhibitor",
    number: (back: number) => `Exhibitor ${String(back)}`,
  },

  pass: {
    title: "Pass runs out",
    showEnd: "Two days after the show",
    at: "At a set time",
    never: "Never",
    when: "Runs out at",
    past: "Choose a time that is still to come.",
    noTime: "Choose a day and a time.",
  },

  remove: {
    title: (phone: string) => `Remove ${phone}?`,
    access: (person: string) =>
      `${person} can no longer see or enter anything with this phone. It takes effect at once.`,
    clean: "All it entered is on the laptop. Nothing is lost.",
    holds: (count: number) =>
      `${entries(count)} ${count === 1 ? "is" : "are"} still on this phone and not on the laptop.`,
    away: (since: string) => `It was last seen ${since}: what it holds may be more by now.`,
    kept: "They stay on the phone. To get them: bring the phone here, save its file there, and take it in under “Take in a phone’s file”.",
    keptOne:
      "It stays on the phone. To get it: bring the phone here, save its file there, and take it in under “Take in a phone’s file”.",
    better: "Better first: bring it near the Wi-Fi until it says “All sent”, then remove it.",
    lost: "Lost or stolen? Remove it now. Nobody else can use its pass.",
    go: "Remove phone",
    goWith: (count: number) => `Remove with ${entries(count)} on it`,
    cancel: "Keep it",
    done: (phone: string) => `${phone} is removed.`,
  },

  merge: {
    title: "Make it one phone",
    lead: "The phone joined twice, for example in another browser. It gets back its person, jobs and switches. What it entered keeps its place in the history.",
    now: "It is now",
    before: "It was",
    fact: (does: string, joined: string, state: string) => `${does}. Joined ${joined}, ${state}.`,
    drop: "Remove the one before from the list",
    dropHint: "It is the same phone: nobody uses that pass any more.",
    dropWaits: (count: number) =>
      `${entries(count)} still ${count === 1 ? "waits" : "wait"} on it. Leave it until they are in.`,
    go: "Make it one",
    done: (person: string) => `It is ${person}’s phone again.`,
    notDropped: (why: string) => `It is one phone now, but the one before is still in the list. ${why}`,
    cancel: "Not now",
  },
} as const;
