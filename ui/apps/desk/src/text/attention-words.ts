// The words for entries that the desk has not taken: refused, too late, or waiting for what never came.

/** Why an entry was not accepted, by the server's code. */
const REASONS: Readonly<Record<string, (who: string) => string>> = {
  forbidden: (who) => `${who}’s job at the show does not include this.`,
  locked: () => "The show had moved on: this could no longer be changed.",
  out_of_range: () => "A value is outside of what the show allows.",
  dropped: () => "It was left out at the desk.",
  internal: () => "The laptop could not take it. The cause stands in its log.",
};

export const attentionWords = {
  group: "Not accepted",
  insert: (who: string, what: string) => `${who}’s new ${what} was not accepted.`,
  update: (who: string, what: string) => `${who}’s change to ${what} was not accepted.`,
  delete: (who: string, what: string) => `${who} deleted ${what}, and it was not accepted.`,
  late: (who: string, what: string) => `${who}’s entry for ${what} came too late.`,
  waits: (who: string, what: string) => `${who}’s entry for ${what} waits for something that has not come.`,
  of: (what: string, subject: string) => `${what} of ${subject}`,
  reason: (code: string, who: string, detail: string) => REASONS[code]?.(who) ?? detail,
  safe: "Nothing is lost: the entry is kept here and on the phone until you deal with it.",
  waitsFor: "What it belongs to has not reached the laptop. It is tried again by itself.",
  madeAt: (who: string, made: string, arrived: string) =>
    `${who} made it at ${made}; it reached the laptop at ${arrived}.`,
  madeOnce: (who: string, at: string) => `${who} made it at ${at}.`,
  tries: (count: number) => `Tried ${String(count)} times.`,
  field: "Field",
  now: "On the laptop",
  sent: "Sent",
  save: "To be saved",
  change: (label: string) => `${label}, to be saved`,
  applyFor: (who: string) => `Save for ${who}`,
  retry: "Try again",
  drop: "Leave out",
  hint: (who: string) =>
    `Save for ${who}: it is saved in ${who}’s name, and the history says that you let it in. Leave out: nothing of it is saved; the phone is told why.`,
  reasonHint: "Why? Goes in the history.",
  lateAt: (made: string, arrived: string) => `Came too late: made at ${made}, reached the laptop at ${arrived}.`,
  lateOnce: (at: string) => `Came too late: made at ${at}.`,
  applied: (who: string, subject: string) => `${subject}: saved for ${who}.`,
  clashes: (subject: string) => `${subject}: the laptop has another value. It waits under Needs checking.`,
  retried: (subject: string) => `${subject}: accepted.`,
  stillRefused: "It is still not accepted. Nothing is lost.",
  stillWaits: "It still waits. Nothing is lost.",
  dropped: (subject: string) => `${subject}: left out. It stays in the history.`,
  gone: "Somebody has dealt with this entry.",
  short: {
    forbidden: "not this person’s job",
    locked: "came too late",
    out_of_range: "value not allowed",
    unique_violation: "already used",
  } as Readonly<Record<string, string>>,
  shortWaits: "waits for something",
  shortOther: "not accepted",
} as const;
