// Every word that the desk says. Plain English, verbs on buttons, and each error says whether the entry is safe.

import type { FunctionName } from "../data/desk-api.ts";
import { alertWords } from "./alert-words.ts";
import { attentionWords } from "./attention-words.ts";
import { auditWords } from "./audit-words.ts";
import { bulkWords, checkWords } from "./check-words.ts";
import { connectWords } from "./connect-words.ts";
import { entriesWords } from "./entries-words.ts";
import { healthWords } from "./health-words.ts";
import { importWords } from "./import-words.ts";
import { messagesWords } from "./messages-words.ts";
import { networkWords } from "./network-words.ts";
import { peopleWords } from "./people-words.ts";
import { quietWords } from "./quiet-words.ts";
import { rescueWords } from "./rescue-words.ts";
import { settingsWords } from "./settings-words.ts";
import { overviewWords } from "./overview-words.ts";
import { plural } from "./plural.ts";

export { listed } from "./plural.ts";

const tables: Readonly<Record<string, string>> = {
  animals: "animal",
  announcements: "message",
  class_calls: "call",
  classes: "class",
  entries: "entry",
  exhibitors: "exhibitor",
  placings: "placing",
  rings: "ring",
  shows: "show",
  weigh_ins: "weight",
};

const jobs: readonly { value: FunctionName; label: string }[] = [
  { value: "checkin", label: "Check-in" },
  { value: "scale", label: "Scale" },
  { value: "gate", label: "Gate" },
  { value: "clerk", label: "Ring clerk" },
  { value: "announcer", label: "Announcer" },
  { value: "superintendent", label: "Superintendent" },
  { value: "vet", label: "Vet" },
  { value: "admin", label: "Office" },
  { value: "viewer", label: "Viewer" },
];

export const words = {
  product: "Showdesk",
  yes: "Yes",
  no: "No",
  none: "None",
  close: "Close",
  loading: "Loading",
  anotherRecord: (id: string) => `no. ${id.slice(-6)}`,
  table: (name: string) => tables[name] ?? "record",
  tableTitle: (name: string) => {
    const word = tables[name] ?? "record";
    return word.charAt(0).toUpperCase() + word.slice(1);
  },
  job: (name: FunctionName) => jobs.find((job) => job.value === name)?.label ?? name,
  jobs,

  nav: {
    label: "Main",
    overview: "Overview",
    entries: "Entries",
    checks: "Needs checking",
    messages: "Messages",
    health: "Charts & health",
    phones: "Phones & people",
    import: "Import",
    settings: "Settings",
    toCheck: (count: number) => `${String(count)} to check`,
  },

  shell: {
    search: "Find by any number or name",
    searchKey: "Ctrl K",
    connect: "Connect a phone",
    saved: (time: string) => `Saved ${time}`,
    saving: "Saving…",
    notReached: "Not reaching Showdesk",
    nothingYet: "Nothing entered yet",
    alerts: (count: number) => `${plural(count, "entry was", "entries were")} not accepted`,
    asking: (count: number) => `${plural(count, "phone asks", "phones ask")} to join`,
    menu: "Menu",
    closeMenu: "Close the menu",
    theme: "Theme",
    light: "Light",
    dark: "Dark",
    noAddress: "No network yet",
    noWifi: "Phones join here",
    away: "Not reaching the laptop’s program. What was saved is safe, and phones keep their entries. This page tries again by itself.",
    skip: "Skip to the page",
    showDay: (weekday: string, day: number, of: number) => `${weekday}, day ${String(day)} of ${String(of)}`,
    startsIn: (days: number) => (days === 1 ? "Starts tomorrow" : `Starts in ${String(days)} days`),
    ended: (day: string) => `Ended ${day}`,
    notLoaded:
      "Showdesk does not answer, or it was updated since this page was opened. Nothing is lost: load the page again.",
    reload: "Load again",
  },

  open: {
    title: "Open the desk from the laptop",
    how: "Start Showdesk on the laptop, or open the link that it prints when it starts without a window.",
    used: "This link was used before or has run out. Start Showdesk again to get a new one.",
    expired: "Showdesk was started again since this page was opened. Open the desk from its new link.",
    busy: "Opening the desk",
  },

  error: {
    title: "This could not be loaded",
    safe: "Nothing was lost: this page only reads. It tries again by itself.",
    again: "Try again",
    silent: "Showdesk did not answer.",
    away: "Showdesk did not answer. Nothing was changed. Try again in a moment.",
    unknown: "Something went wrong on this page. Nothing was changed.",
    copy: "Copy the number",
    copied: "Copied",
    withId: (text: string, id: string) => `${text} (No. ${id})`,
  },

  overview: overviewWords,

  connect: connectWords,
  people: peopleWords,
  audit: auditWords,
  network: networkWords,

  messages: messagesWords,
  health: healthWords,
  alerts: alertWords,
  quiet: quietWords,

  checks: checkWords,
  bulk: bulkWords,
  attention: attentionWords,
  entries: entriesWords,

  history: {
    addedTo: (who: string, table: string) =>
      ({ animals: `${who} added this animal`, entries: `${who} entered it in a class`, placings: `${who} placed it` })[
        table
      ] ?? `${who} added it`,
    imported: (what: string) => `Imported from the entries file: ${what}`,
    checkedIn: (who: string, what: string) => `${who} checked it in${what === "" ? "" : `, ${what}`}`,
    notArrived: (who: string) => `${who} took the check-in back`,
    weighed: (who: string, weight: string, again: boolean) => `${who} ${again ? "re-weighed" : "saved"} ${weight}`,
    weightTakenBack: (who: string, weight: string) => `${who} took ${weight} back`,
    note: (text: string) => `note “${text}”`,
    deleted: (who: string) => `${who} deleted it`,
    restored: (who: string) => `${who} brought it back`,
    set: (who: string, what: string) => `${who} saved ${what}`,
    checked: (who: string) => `${who} looked at it, nothing changed`,
    cleared: (field: string) => `no ${field}`,
    somebody: "Somebody",
    because: (reason: string) => `Reason: ${reason}`,
  },

  import: importWords,

  settings: settingsWords,
  rescue: rescueWords,
} as const;
