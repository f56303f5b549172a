// A disputed entry as its author reads it: what was mine, what stands, who decided.

import type { StoredCheck, StoredOp } from "@showdesk/sync";

import { tenthsText, timeText } from "../../show/format.ts";
import type { Show } from "../../show/rows.ts";
import { fieldWord, words } from "../../words.ts";

/** One disputed field. */
export interface DisputedField {
  readonly word: string;
  readonly mine: string;
  readonly theirs: string;
  /** What everybody sees meanwhile: the desk's value. */
  readonly now: string;
  /** What the decision left standing; nothing while it is open. */
  readonly kept: string | null;
}

/** A check, ready to be shown. */
export interface Check {
  readonly id: string;
  /** Whose turn it is: the desk's, the author's, nobody's. */
  readonly stage: "open" | "decided" | "over";
  /** This phone sent the entry, so it can take it back. */
  readonly isOwn: boolean;
  readonly subject: string;
  readonly fields: readonly DisputedField[];
  readonly otherName: string | null;
  readonly mineAt: string;
  readonly theirsAt: string;
  readonly sentences: readonly string[];
  readonly reason: string;
  readonly overAt: string;
}

/** Reads a check. The phone's own entries tell which side is its: the desk's value may be its too. */
export function readCheck(stored: StoredCheck, show: Show, own: readonly StoredOp[]): Check {
  const { view } = stored;
  const isClient = own.some((op) => view.op_ids.includes(op.op_id));
  const decision = view.decisions.filter((one) => one.undone_at === null).at(-1);
  const isDecided = view.status === "resolved" && decision !== undefined;
  const fields = view.contested.map((name): DisputedField => {
    const client = valueText(name, view.client_data?.[name], show);
    const server = valueText(name, view.server_data?.[name], show);
    const kept = isDecided ? keptText(name, view.client_data, view.server_data, decision, show) : null;
    const typed = isClient ? undefined : ownValue(own, view.record_id, name);
    const mine = isClient ? client : typed === undefined ? server : valueText(name, typed, show);
    return { word: fieldWord(name), mine, theirs: isClient ? server : client, now: server, kept };
  });
  const by = decision?.by_name ?? words.checks.desk;
  const decidedAt = decision?.at ?? view.resolved_at;
  const [clientAt, serverAt] = ["client", "server"].map((what) => {
    const point = view.timeline.find((one) => one.what === what);
    return point ? timeText(point.at, show.timeZone) : "";
  });
  return {
    id: view.id,
    stage: stageOf(stored, isDecided),
    isOwn: isClient,
    subject: words.checks.subject(subjectText(stored), fields.map((field) => field.word).join(", ")),
    fields,
    otherName: (isClient ? view.server_author?.name : (view.author?.name ?? view.device?.name)) ?? null,
    mineAt: (isClient ? clientAt : serverAt) ?? "",
    theirsAt: (isClient ? serverAt : clientAt) ?? "",
    sentences: isDecided ? fields.map((field) => sentence(by, field)) : [],
    reason: words.checks.reason(decidedAt ? timeText(decidedAt, show.timeZone) : "", decision?.reason ?? ""),
    overAt: view.resolved_at ? timeText(view.resolved_at, show.timeZone) : "",
  };
}

/** What this phone last entered in the field. The desk's value may have moved on since. */
function ownValue(own: readonly StoredOp[], recordId: string, name: string): unknown {
  const newest = own
    .filter((op) => op.record_id === recordId && name in op.data)
    .reduce<StoredOp | undefined>((last, op) => (last && last.device_seq > op.device_seq ? last : op), undefined);
  return newest?.data[name];
}

function stageOf({ view, answered_rev }: StoredCheck, isDecided: boolean): Check["stage"] {
  if (view.status === "open") return "open";
  return isDecided && answered_rev !== view.rev ? "decided" : "over";
}

function sentence(by: string, { word, kept, mine }: DisputedField): string {
  const standing = kept ?? words.checks.nothing;
  return standing === mine
    ? words.checks.keptYours(by, word, standing)
    : words.checks.keptOther(by, word, standing, mine);
}

function keptText(
  name: string,
  client: Readonly<Record<string, unknown>> | null,
  server: Readonly<Record<string, unknown>> | null,
  decision: StoredCheck["view"]["decisions"][number],
  show: Show,
): string {
  if (name in decision.values) return valueText(name, decision.values[name], show);
  return valueText(name, decision.resolution === "client_wins" ? client?.[name] : server?.[name], show);
}

/** Which animal it is about: its number as both sides knew it. */
function subjectText({ view }: StoredCheck): string {
  for (const source of [view.base_data, view.server_data, view.client_data, view.subject]) {
    const tag = source?.["tag"];
    if (typeof tag === "string" && tag !== "") return words.animal.tag(tag);
  }
  const name = view.subject["name"];
  return typeof name === "string" ? name : words.entry.other;
}

function valueText(name: string, value: unknown, show: Show): string {
  if (value === null || value === undefined || value === "") return words.checks.nothing;
  if (typeof value === "number" && name.endsWith("_x10")) return `${tenthsText(value)} ${show.unit}`;
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}
