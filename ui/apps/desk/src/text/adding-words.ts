// What is said where an entry is added at the desk.

export const addingWords = {
  open: "Add an entry",
  title: "Add an entry",
  noteEarly: "For one that is not in the entries file.",
  noteLate: "Entries are closed: this one is kept as a late entry (add-on).",
  official: "The results are official. To add an entry, first set the stage back under Settings.",
  loading: "Reading the classes and exhibitors",
  failed: "The classes and exhibitors could not be read. Nothing was changed.",

  exhibitor: "Exhibitor",
  find: "Find an exhibitor",
  findHint: "Number, name or club",
  nobody: "No exhibitor found. Add a new one, or try part of the name.",
  more: (count: number) => `${count.toLocaleString("en-US")} more: type more of the name.`,
  /** `#176 Emma Lindqvist, Oak Hill 4-H`. */
  person: (number: number | undefined, name: string, club: string | undefined) =>
    [`${number === undefined ? "" : `#${String(number)} `}${name}`, club].filter(Boolean).join(", "),
  other: "Another exhibitor",
  new: "New exhibitor",
  known: "Find one who is here",
  exhibitorMissing: "Choose the exhibitor, or add a new one.",
  numberHint: "Leave it empty to give it later.",

  animal: "Animal",
  newAnimal: "A new animal",
  noAnimal: "None: showmanship",
  choose: "Choose",
  speciesMissing: "Choose the species.",
  tagHint: "Leave it empty if it has none yet.",

  class: "Class",
  chooseClass: "Choose the class",
  classMissing: "Choose the class.",
  noClasses: "There is no open class for this animal that it is not in already.",

  add: "Add entry",
  cancel: "Cancel",
  added: (subject: string, inClass: string) => `${subject} is entered in ${inClass}.`,
} as const;
