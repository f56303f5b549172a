// The words of joining that are needed only there: the typed code, and going on from another page.

export const joinWords = {
  app: "Showdesk",
  typed: {
    open: "Type the code instead",
    label: "Code from the desk",
    hint: "8 letters and digits. The desk shows it under the picture. It works for 2 minutes.",
    pad: "Letters and digits",
    deleteLast: "Delete last letter",
    clear: "Clear the code",
    submit: "Go on",
    scan: "Scan the code instead",
  },
  goOn: {
    title: "Go on with this page",
    text: "This phone goes on here. Everything you sent is at the desk.",
    looking: "Asking the laptop who you are",
    name: "You",
    show: "Show",
    submit: (name: string) => (name === "" ? "Go on" : `Go on as ${name}`),
    notMe: "That's not me",
    again: "Try again",
    over: {
      used: "This way in was used already",
      removed: "This phone was removed",
      expired: "The time of this phone at the show is over",
    },
    overHint: {
      used: "It works once. Nothing was lost. Ask the desk for a new code.",
      removed: "The desk took it out of the show. Nothing was lost. To come back, ask for a new code.",
      expired: "Nothing was lost. Ask the desk for more time, or for a new code.",
    },
    heldHint:
      "They are safe, and belong to whoever had this page before. Open it as it was near the laptop: they go out.",
    asBefore: "Open it as it was",
    newCode: "Use a new code",
  },
} as const;
