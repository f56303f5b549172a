// A line of the record in words: who did what to what, and what was other before. Pure.

import type { AuditItem, FunctionName, RingNow } from "../../data/desk-api.ts";
import { limitText } from "../health/amounts.ts";
import { thingOf } from "../health/things.ts";
import { subjectName } from "../../text/conflict-words.ts";
import { choiceText, fieldRows, fieldText, isShown } from "../../text/fields.ts";
import { duration, moment, value, type ShowText } from "../../text/format.ts";
import { at, isSame, textAt, type Json } from "../../text/json.ts";
import { STAGES } from "../../text/settings-words.ts";
import { listed, words } from "../../text/words.ts";

/** What the texts depend on. */
export interface AuditText {
  show: ShowText;
  rings: readonly Pick<RingNow, "id" | "name">[];
}

/** What was done, in three parts: the middle one is what it was done to. */
export interface Deed {
  who: string;
  before: string;
  subject: string;
  after: string;
}

export function deedOf(item: AuditItem): Deed {
  const pattern = words.audit.did[item.action] ?? words.audit.unknown(item.action);
  const [before = "", after = ""] = pattern.split("{}", 2);
  const who = item.actor?.name ?? words.audit.itself;
  return {
    who: who === "" ? words.audit.somebody : who,
    before: before.trim(),
    subject: pattern.includes("{}") ? subjectOf(item) : "",
    after: after.trim(),
  };
}

/** `Dan let Maria’s phone in`. */
export function deedText(item: AuditItem): string {
  const { who, ...rest } = deedOf(item);
  return [who, rest.before, rest.subject, rest.after].filter((part) => part !== "").join(" ");
}

function subjectOf(item: AuditItem): string {
  if (item.subject_text !== undefined && item.subject_text !== "") return item.subject_text;
  const named =
    textAt(item.after, "name") ??
    textAt(item.after, "device_name") ??
    textAt(item.after, "title") ??
    textAt(item.after, "problem") ??
    ruleName(item.after) ??
    textAt(item.before, "name");
  if (named !== undefined) return named;
  return typeof item.table_name === "string" && item.subject !== null
    ? subjectName(item.table_name, item.subject)
    : words.audit.something;
}

/** An alert by what it is about. */
function ruleName(noted: Json): string | undefined {
  const rule = textAt(noted, "rule");
  if (rule === undefined) return undefined;
  const kept = at(noted, "after") ?? at(noted, "before");
  const thing = thingOf(textAt(kept, "metric") ?? "", textAt(kept, "aggregate") ?? "");
  return words.alerts.ruleNames[rule] ?? thing?.label;
}

export interface AuditChange {
  key: string;
  label: string;
  from: string;
  to: string;
}

/** What was other before; what did not change stays out. */
export function changesOf(item: AuditItem, text: AuditText): AuditChange[] {
  const { before: was, after: is } = sidesOf(item);
  const [before, after] = [flat(was), flat(is)];
  const isNew = was === null;
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !SILENT.has(key) && isShown(key) && !isSame(before[key], after[key]),
  );
  // Fields that travel together are told by the first of them.
  const leads = fieldRows(changed).flatMap(([lead]) => lead ?? []);
  const changes = leads
    .map((key) => ({
      key,
      label: labelOf(key),
      from: valueText(key, before[key], text),
      to: valueText(key, after[key], text),
    }))
    // Of what is new, only what was chosen is told: its name stands in the sentence, and no limit is no choice.
    .filter(({ key, from, to }) => from !== to && !(isNew && (IN_THE_SENTENCE.has(key) || UNCHOSEN.has(to))));
  // What became of a clash or an entry is what the sentence says.
  return changes.length > 1 ? changes.filter(({ key }) => key !== "status") : changes;
}

/** What was before and what is after; of alerts and problems both stand in what was noted. */
function sidesOf({ action, before, after }: AuditItem): { before: Json; after: Json } {
  if (action.startsWith("alert_") && at(after, "after") !== undefined) {
    const { webhook } = flat(after);
    const shown: Record<string, Json> = typeof webhook === "string" ? { webhook } : {};
    return { before: chosen(at(after, "before")), after: { ...chosen(at(after, "after")), ...shown } };
  }
  if (action !== "problem_changed") return { before, after };
  return { before: { standing: at(after, "before") ?? null }, after: { standing: at(after, "status") ?? null } };
}

/** What people choose of an alert, without what follows from it. */
function chosen(json: Json | undefined): Record<string, Json> {
  const all = flat(json ?? null);
  const kept: Record<string, Json> = {};
  for (const key of CHOSEN) if (all[key] !== undefined) kept[key] = all[key];
  const unit = thingOf(String(all["metric"]), String(all["aggregate"]))?.unit;
  const limit = all["threshold"];
  if (typeof limit === "number" && unit !== undefined) kept["threshold"] = limitText(limit, unit);
  return kept;
}

const CHOSEN = ["threshold", "wait", "enabled", "silenced_until", "desktop", "push", "quiet_hours"] as const;

/** `Weight 598 → 612 lb`, for a line with little room. */
export function changesLine(changes: readonly AuditChange[]): string {
  return changes
    .map(({ label, from, to }) => (from === words.audit.none ? `${label} ${to}` : `${label} ${from} → ${to}`))
    .join("; ");
}

/** Said elsewhere in the line, or of use to the program only. */
const SILENT: ReadonlySet<string> = new Set([
  "id",
  "device_name",
  "op_ids",
  "rev",
  "version",
  "waiting_for",
  "into",
  "into_name",
  "worker",
]);

/** Of what is new, these name it. */
const IN_THE_SENTENCE: ReadonlySet<string> = new Set(["name", "person", "title"]);

/** What stands there as long as nobody limits anything. */
const UNCHOSEN: ReadonlySet<string> = new Set([words.audit.everywhere, words.audit.nobody, words.audit.none]);

/** Until when something lasts; null is for ever. */
const MOMENTS: ReadonlySet<string> = new Set(["expires_at", "device_expires_at", "code_expires_at", "silenced_until"]);

/** What is on or off. */
const SWITCHES: ReadonlySet<string> = new Set(["enabled", "desktop", "push", "ok"]);

/** Parts that are told as if they stood beside the rest. */
const INLINE: ReadonlySet<string> = new Set(["values", "scope", "permissions"]);

function flat(json: Json): Record<string, Json> {
  if (json === null || typeof json !== "object" || Array.isArray(json)) return {};
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, part]) => (INLINE.has(key) ? Object.entries(flat(part)) : [[key, part]])),
  );
}

function labelOf(key: string): string {
  return words.audit.field[key] ?? fieldText(key).label;
}

function valueText(key: string, json: Json | undefined, { show, rings }: AuditText): string {
  const text = words.audit;
  if (json === undefined) return text.none;
  const list = Array.isArray(json) ? json.map(String) : [];
  switch (key) {
    case "functions":
      return list.length === 0 ? text.none : listed(list.map((job) => words.job(job as FunctionName)));
    case "granted":
    case "withheld":
      return list.length === 0
        ? text.none
        : listed(list.map((name) => words.people.drawer.may_[name] ?? words.people.drawer.mayUnknown(name)));
    case "ring_ids":
      return list.length === 0
        ? text.everywhere
        : listed(list.map((id) => rings.find((ring) => ring.id === id)?.name ?? words.anotherRecord(id)));
    case "departments":
      return list.length === 0 ? text.everywhere : listed(list.map(choiceText));
    case "exhibitor_ids":
      return list.length === 0 ? text.nobody : listed(list.map((id) => show.names[id] ?? words.anotherRecord(id)));
  }
  const isMoment = MOMENTS.has(key);
  if (json === null) return isMoment ? text.never : text.none;
  if (typeof json === "string") {
    if (isMoment) return moment(json, show);
    const known = {
      status: text.status,
      resolution: text.resolution,
      mode: text.mode,
      standing: text.standing,
      tag: text.tag,
    }[key]?.[json];
    if (known !== undefined) return known;
    if (key === "platform") return words.connect.platform(json);
  }
  if (typeof json === "boolean" && SWITCHES.has(key)) return json ? words.yes : words.no;
  if (key === "open" && typeof json === "boolean") return text.mode[json ? "open" : "single"] ?? text.none;
  if ((key === "seconds" || key === "wait") && typeof json === "number") return duration(json * 1000);
  if (key === "quiet_hours") return `${textAt(json, "from") ?? ""}–${textAt(json, "until") ?? ""}`;
  if (key === "person") return textAt(json, "name") ?? (typeof json === "string" ? json : text.none);
  if (key === "stage" && typeof json === "string") return stageText(json);
  // A refusal is told by its sentence.
  if (key === "error") return textAt(json, "detail") ?? text.none;
  return value(key, json, show);
}

function stageText(json: string): string {
  const stage = STAGES.find((known) => known === json);
  return stage === undefined ? json : words.settings.stage.full(stage);
}
