// What Settings says: the rules of a show in plain words, and what each stage lets whom do.

import { plural } from "./plural.ts";

/** The stages of a show, in their order. */
export const STAGES = ["A", "B", "C", "D", "E"] as const;
export type Stage = (typeof STAGES)[number];

/** A right that ends or begins between two stages. */
interface Right {
  readonly who: string;
  readonly what: string;
}

/** What changes when the show goes on from a stage to the next one; going back turns it round. */
interface Step {
  readonly closes: readonly Right[];
  readonly opens: readonly Right[];
}

const changesUnit = "changes the weight unit";

const unitNames: Readonly<Record<string, string>> = { lb: "lb (pounds)", kg: "kg (kilograms)" };

export const settingsWords = {
  title: "Settings",
  tabs: "Settings",
  show: "Show",
  about: "About",
  loading: "Loading the settings",

  saving: "Saving",
  saved: "Saved",
  undo: "Undo",
  retry: "Try again",
  putBack: "Put back",
  said: (label: string, value: string) => `${label}: ${value}.`,
  notSaved: (why: string) => `Not saved. ${why}`,
  unknown: "Showdesk is not answering, so it is not known whether this was saved. What you typed stays here.",
  waits: "Somebody else changed this too. Both values wait under Needs checking.",
  decide: "Decide",
  overruled: "Somebody else had just changed this. Theirs stands.",
  locked: "The show is official: its settings are locked. Go back to stage D to change them.",

  stage: {
    title: "Stage",
    note: "What phones may write now",
    current: "Now",
    name: {
      A: "Set-up",
      B: "Check-in and weigh-in",
      C: "Classes published",
      D: "Showing",
      E: "Official",
    } as Readonly<Record<Stage, string>>,
    says: {
      A: "The office and superintendents put in animals, entries and classes. Other phones only look.",
      B: "Check-in and gate mark arrivals, the scale weighs, the vet checks. Late entries are still taken.",
      C: "Superintendents move, join and split classes. The scale only re-weighs, check-in takes late arrivals.",
      D: "Clerks post cards for their ring, gate and announcer call. Superintendents need a reason.",
      E: "Results are final and nobody changes them. Messages still go out.",
    } as Readonly<Record<Stage, string>>,
    full: (stage: Stage) => `${stage}, ${settingsWords.stage.name[stage]}`,
    now: (stage: Stage) => `The show is in stage ${settingsWords.stage.full(stage)}.`,
    goOn: (stage: Stage) => `Go on to ${stage}`,
    goBack: (stage: Stage) => `Go back to ${stage}`,
    askOn: (stage: Stage) => `Go on to ${settingsWords.stage.full(stage)}?`,
    askBack: (stage: Stage) => `Go back to ${settingsWords.stage.full(stage)}?`,
    closes: "Closes",
    opens: "Opens",
    changesUnit,
    nothingCloses: "Nothing closes.",
    nothingOpens: "Nothing opens.",
    stillWaiting: (count: number) =>
      `${plural(count, "entry still waits", "entries still wait")} on phones. What comes in too late is not lost: ` +
      "it stands under Needs checking, and you apply it with one tap.",
    reason: "Why does the show go back?",
    reasonHint: "Goes in the history. Everybody with a phone sees the stage change.",
    reasonMissing: "Type a reason.",
    undoReason: "Taken back right after it was changed",
    cancel: "Cancel",
    /** Keyed by the earlier of the two stages. */
    steps: {
      A: {
        closes: [{ who: "Office", what: changesUnit }],
        opens: [
          { who: "Check-in", what: "marks arrivals, reads tags, adds late entries" },
          { who: "Scale", what: "weighs" },
          { who: "Gate", what: "marks arrivals" },
          { who: "Vet", what: "checks health, takes animals out" },
          { who: "Announcer", what: "sends messages" },
        ],
      },
      B: {
        closes: [
          { who: "Check-in, superintendents", what: "add animals, exhibitors and entries" },
          { who: "Scale", what: "takes first weights" },
          { who: "Gate", what: "marks arrivals" },
        ],
        opens: [
          { who: "Gate", what: "marks who is ready" },
          { who: "Superintendents", what: "open and close rings" },
        ],
      },
      C: {
        closes: [
          { who: "Check-in", what: "marks late arrivals and pens" },
          { who: "Superintendents", what: "change animals, make classes, weigh" },
          { who: "Superintendents", what: "move entries without a reason" },
          { who: "Scale", what: "re-weighs" },
        ],
        opens: [
          { who: "Ring clerks", what: "post result cards for their own ring" },
          { who: "Gate, clerks, announcer", what: "call classes" },
          { who: "Gate, clerks", what: "mark no-shows and scratches" },
          { who: "Scale", what: "weighs back" },
        ],
      },
      D: {
        closes: [
          { who: "Everybody", what: "changes entries, weights and results" },
          { who: "Office", what: "changes settings, other than the stage" },
        ],
        opens: [],
      },
    } as Readonly<Record<Exclude<Stage, "E">, Step>>,
  },

  theShow: "The show",
  weighing: "Weighing",
  classes: "Classes",
  results: "Results",

  name: "Name",
  nameMissing: "A show needs a name.",
  venue: "Venue",
  starts: "First day",
  ends: "Last day",
  endsFirst: "The last day is before the first.",
  days: (count: number) => plural(count, "day", "days"),
  timezone: "Time zone",
  clock: (time: string) => `It is ${time} there now.`,
  unit: "Weight unit",
  unitOpen: "All weights of the show. It is fixed once check-in begins.",
  unitWeighed: (count: number) =>
    `Fixed: ${plural(count, "animal is", "animals are")} weighed. A weight is never converted.`,
  unitStage: "Fixed since check-in began (stage B).",
  unitName: (unit: string) => unitNames[unit] ?? unit,

  notSet: "Not set",
  /** In the field of a number that is not set. */
  blank: "–",
  none: "none",
  on: "yes",
  off: "no",
  rule: {
    reweigh_policy: "Weight that counts",
    weigh_tolerance_x10: "Two weights agree within",
    declared_weights: "Exhibitors declare weights",
    weigh_back_tol_x10: "Weigh-back may differ by",
    class_cap: "Most animals in a class",
    min_breed_head: "Fewest to keep a breed",
    missed_class: "An animal that misses its class",
    places_per_class: "Places in a class",
    ties_allowed: "Ties are allowed",
    results_visibility: "Exhibitors see results",
  },
  ruleHint: {
    reweigh_policy: "If weighed a second time.",
    weigh_tolerance_x10: "A larger gap needs checking.",
    declared_weights: "A weigh card counts as weighed.",
    weigh_back_tol_x10: "Checked after placing.",
    class_cap: "Larger ones are split by weight.",
    min_breed_head: "Smaller breeds join the crossbreds.",
    missed_class: "",
    places_per_class: "How many the judge places.",
    ties_allowed: "Two animals may share a place.",
    results_visibility: "",
  },
  choice: {
    second_official: "The second one",
    weigh_once: "The first, weighed once",
    declared: "The declared one",
    disqualified: "Is disqualified",
    next_class: "Moves to the next class",
    superintendent: "Superintendent decides",
    posted: "When the card is posted",
    official: "When the class is official",
  } as Readonly<Record<string, string>>,
  animals: "animals",
  places: "places",
  notWeight: (unit: string) => `Type a weight such as 5 or 5.5 ${unit}.`,
  notWhole: "Type a whole number from 1 to 500.",

  aboutPage: {
    version: "Version",
    showId: "Number of this desk",
    reached: "Phones reach it at",
    folder: "Folder",
    database: "Database",
    copy: "Copy",
    copied: "Copied",
    licences: "Made with",
    own: "Showdesk",
    ownLicence: "MIT or Apache 2.0, as you choose",
    font: "Inter, the letters on this page",
    fontLicence: "SIL Open Font License 1.1",
    icons: "Lucide, the small pictures",
    iconsLicence: "ISC License",
    program: "About Showdesk",
    noAddress: "No network yet",
  },

  phones: {
    title: "Phones that can’t reach the laptop",
    text: "A phone that is broken, removed or out of reach can hand over its entries as a file or as codes.",
    open: "Take in a phone’s file",
  },
} as const;
