// The words of joining that are needed only there: the typed code, and going on from another page.

export const joinWords = {
  app: "Showdesk",
  typed: {
    open: "Type the code instead",
    title: "Type the code",
    label: "Code from the desk",
    hint: "8 letters and digits. The desk shows it under the picture. It works for 2 minutes.",
    pad: "Letters and digits",
    deleteLast: "Delete last letter",
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
    over: "This way in was used already",
    overHint: "It works once. Nothing was lost. Ask the desk for a new code.",
    newCode: "Use a new code",
  },
} as const;
