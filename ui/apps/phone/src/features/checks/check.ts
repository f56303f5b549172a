// A disputed entry as its author reads it: what was mine, what stands, who decided.

import type { StoredCheck, StoredOp } from "@showdesk/sync";

import { laterWords } from "../../later-words.ts";
import type { Book } from "../../show/book.ts";
import { tenthsText, timeText } from "../../show/format.ts";
import { entryWords } from "../../entry-words.ts";
import { fieldWord, words } from "../../words.ts";
import { stageOf, type Stage } from "./stage.ts";

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

/** What the desk asked, and the answer. */
export interface Question {
  readonly id: string;
  readonly by: string | null;
  readonly time: string;
  readonly text: string;
  readonly answer: { readonly time: string; readonly text: string } | null;
}

/** A check, ready to be shown. */
export interface Check {
  readonly id: string;
  readonly stage: Stage;
  /** This phone sent the entry, so it can take it back. */
  readonly isOwn: boolean;
  readonly subject: string;
  readonly why: string;
  readonly fields: readonly DisputedField[];
  /** Whose the other value is, and whether it was typed at the desk. */
  readonly other: { readonly name: string | null; readonly isDesk: boolean };
  readonly mineAt: string;
  readonly theirsAt: string;
  readonly question: Question | null;
  readonly hasDisagreed: boolean;
  readonly decidedBy: string;
  readonly reason: string;
  /** One line for what is over. */
  readonly result: string;
  readonly overAt: string;
}

type View = StoredCheck["view"];

/** Reads a check. The phone's own entries tell which side is its: the desk's value may be its too. */
export function readCheck(stored: StoredCheck, book: Book, own: readonly StoredOp[]): Check {
  const { view } = stored;
  const time = (moment: string | null | undefined) => (moment ? timeText(moment, book.show.timeZone) : "");
  const isClient = own.some((op) => view.op_ids.includes(op.op_id));
  const decision = view.decisions.filter((one) => one.undone_at === null).at(-1);
  const isDecided = view.status === "resolved" && decision !== undefined;
  const fields = view.contested.map((name) => readField(name, view, isDecided ? decision : undefined, book, own));
  const at = (what: string) => time(view.timeline.find((one) => one.what === what)?.at);
  const question = questionOf(view, time);
  return {
    id: view.id,
    stage: stageOf(stored),
    isOwn: isClient,
    subject: headingText(view, fields),
    why: whyText(view),
    fields,
    other: isClient
      ? { name: view.server_author?.name ?? null, isDesk: view.server_author?.device_kind !== "phone" }
      : { name: view.author?.name ?? view.device?.name ?? null, isDesk: false },
    mineAt: at(isClient ? "client" : "server"),
    theirsAt: at(isClient ? "server" : "client"),
    question,
    hasDisagreed: view.disagreement !== null,
    decidedBy: laterWords.checks.decidedBy(decision?.by_name ?? laterWords.checks.desk),
    reason: laterWords.checks.reason(time(decision?.at ?? view.resolved_at), decision?.reason ?? ""),
    result: resultText(view, isDecided, fields),
    overAt: time(view.resolved_at),
  };
}

function readField(
  name: string,
  view: View,
  decision: View["decisions"][number] | undefined,
  book: Book,
  own: readonly StoredOp[],
): DisputedField {
  const isClient = own.some((op) => view.op_ids.includes(op.op_id));
  const client = valueText(name, view.client_data?.[name], book);
  const server = valueText(name, view.server_data?.[name], book);
  const typed = isClient ? undefined : ownValue(own, view.record_id, name);
  const mine = isClient ? client : typed === undefined ? server : valueText(name, typed, book);
  const kept = decision === undefined ? null : keptText(name, view, decision, book);
  return { word: fieldWord(name), mine, theirs: isClient ? server : client, now: server, kept };
}

/** What this phone last entered in the field. The desk's value may have moved on since. */
function ownValue(own: readonly StoredOp[], recordId: string, name: string): unknown {
  const newest = own
    .filter((op) => op.record_id === recordId && name in op.data)
    .reduce<StoredOp | undefined>((last, op) => (last && last.device_seq > op.device_seq ? last : op), undefined);
  return newest?.data[name];
}

function questionOf({ asked }: View, time: (moment: string) => string): Question | null {
  if (asked === null) return null;
  const answer = asked.answer === null ? null : { time: time(asked.answer.at), text: asked.answer.text };
  return { id: asked.id, by: asked.by?.name ?? null, time: time(asked.at), text: asked.text, answer };
}

function whyText({ kind, rule }: View): string {
  if (kind === "rule" && rule === "C1") return laterWords.checks.whyTwoWeights;
  return laterWords.checks.whyKind[kind] ?? laterWords.checks.why;
}

function resultText(view: View, isDecided: boolean, fields: readonly DisputedField[]): string {
  const { checks } = laterWords;
  if (view.status === "withdrawn") return checks.withdrawn;
  if (view.status === "superseded") return checks.same;
  if (!isDecided) return checks.byRule;
  const kept = fields.map((field) => {
    const standing = field.kept ?? checks.nothing;
    return standing === field.mine ? checks.yoursKept(standing) : checks.otherKept(standing);
  });
  return kept.join(", ");
}

function keptText(name: string, view: View, decision: View["decisions"][number], book: Book): string {
  if (name in decision.values) return valueText(name, decision.values[name], book);
  const side = decision.resolution === "client_wins" ? view.client_data : view.server_data;
  return valueText(name, side?.[name], book);
}

/** `Tag 0877, weight`; where the tag itself is in dispute it is not said twice. */
function headingText(view: View, fields: readonly DisputedField[]): string {
  const animal = subjectText(view);
  const isTagOnly = view.contested.length === 1 && view.contested[0] === "tag";
  if (fields.length === 0 || isTagOnly) return animal;
  return laterWords.checks.subject(animal, fields.map((field) => field.word).join(", "));
}

/** Which animal it is about: its number as both sides knew it. */
function subjectText(view: View): string {
  for (const source of [view.base_data, view.server_data, view.client_data, view.subject]) {
    const tag = source?.["tag"];
    if (typeof tag === "string" && tag !== "") return entryWords.animal.tag(tag);
  }
  const name = view.subject["name"];
  return typeof name === "string" ? name : words.entry.other;
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T/;

function valueText(name: string, value: unknown, book: Book): string {
  if (value === null || value === undefined || value === "") return laterWords.checks.nothing;
  if (typeof value === "number" && name.endsWith("_x10")) return `${tenthsText(value)} ${book.show.unit}`;
  if (typeof value === "string" && ID.test(value)) {
    const animal = book.animals.get(value);
    return book.exhibitors.get(value)?.name ?? animal?.tag ?? animal?.name ?? laterWords.checks.anotherOne;
  }
  if (typeof value === "string" && INSTANT.test(value)) return timeText(value, book.show.timeZone);
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}
