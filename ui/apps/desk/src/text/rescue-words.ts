// What is said while a phone's file or codes are taken in by hand.

import { plural } from "./plural.ts";

const entries = (count: number) => plural(count, "entry", "entries");

export const rescueWords = {
  title: "Take in a phone’s file",
  steps: ["File or codes", "Look through", "Taken in"] as const,
  stepsLabel: "Steps",

  how: "On the phone: Waiting, then Save file or Show QR. Its entries come in as its person’s, and stay on the phone too.",
  drop: "Drop the file here, or choose it. Nothing is saved before you say so.",
  file: "File of a phone",
  choose: "Choose a file",
  paste: "Or paste",
  pasted: "Text of the file, or of the codes",
  pastedHint: "Codes may come in any order, one a line: what a scanner types, or what somebody sends.",
  read: "Read it",
  codesMissing: (found: number, of: number, missing: readonly number[]) =>
    `${String(found)} of ${plural(of, "code", "codes")} read. Still missing: ${missing.join(", ")}.`,
  reading: "Reading the entries",
  nothingTyped: "Paste the text first.",
  why: {
    not_a_copy: "This is not a file that a phone saved for the desk. Nothing was taken in.",
    damaged: "The file or a code is damaged. Save it again on the phone. Nothing was taken in.",
    newer: "The phone has a newer version than this laptop. Nothing was taken in.",
    other_show: "The file belongs to another show. Nothing was taken in.",
  },

  from: (person: string, count: number) => `${entries(count)} of ${person}`,
  made: (phone: string, at: string) => (at === "" ? `From ${phone}.` : `Saved on ${phone} ${at}.`),
  removed: "This phone was removed. Its entries still come in as its person’s.",
  nothingSaved: "Nothing is saved yet.",
  table: "Entries of the phone",
  take: "Take in",
  takeOne: (subject: string) => `Take in ${subject}`,
  entry: "Entry",
  what: "What",
  who: "Who",
  when: "When",
  would: "What happens",
  happened: "What happened",
  all: "Take in all",
  /** What an entry would do; where it differs from what it did. */
  ahead: { new: "Comes in" } as Readonly<Record<string, string>>,
  verdict: {
    new: "Saved",
    known: "Here already",
    same: "Changes nothing",
    conflict: "Needs checking",
    waits: "Waits for another entry",
    refused: "Not accepted",
    left: "Left out",
  },
  leftOut: (count: number) => `${entries(count)} left out. ${count === 1 ? "It stays" : "They stay"} on the phone.`,
  noneLeft: "Nothing is ticked.",
  go: (count: number) => `Take in ${entries(count)}`,
  back: "Another file",

  done: (count: number, person: string) => `${entries(count)} of ${person} taken in.`,
  doneNone: "Nothing new was in it.",
  toCheck: (count: number) => `${entries(count)} ${count === 1 ? "needs" : "need"} checking.`,
  refusedCount: (count: number) =>
    `${entries(count)} ${count === 1 ? "was" : "were"} not accepted: look under Needs checking.`,
  decide: "Decide",
  unknown: "Showdesk did not answer, so it is not known what was taken in. Take it in again: nothing comes in twice.",
};
