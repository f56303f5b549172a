// What stands where in the list: the most urgent first, entries of one absence or of one class together.
//
// Pure. The server orders a page in the same way; entries that were not accepted are put among them here.

import type { ConflictView, QueueItem, Severity } from "../../data/desk-api.ts";
import { phoneName } from "../../text/conflict-words.ts";
import { moment, type ShowText } from "../../text/format.ts";
import { textAt } from "../../text/json.ts";
import { words } from "../../text/words.ts";

/** One line of the list. */
export type Entry =
  { kind: "clash"; id: string; view: ConflictView } | { kind: "refused"; id: string; item: QueueItem };

/** Lines under one heading. */
export interface Section {
  key: string;
  title: string;
  entries: readonly Entry[];
  /** Whether its entries may be decided together. */
  selectable: boolean;
}

const SEVERITIES: readonly Severity[] = ["results", "placing", "identity", "notes"];

/** From here on entries that have something in common stand under a heading of their own. */
const GROUP_MIN = 2;

/** Severity, then the time until the class begins, then age. */
export function byUrgency(items: readonly ConflictView[]): ConflictView[] {
  return [...items].sort(
    (one, other) =>
      SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
      begins(one) - begins(other) ||
      Date.parse(one.opened_at) - Date.parse(other.opened_at) ||
      one.id.localeCompare(other.id),
  );
}

/** Those without a time, and those that are over, come last. */
function begins(view: ConflictView): number {
  const at = Date.parse(view.class?.planned_at ?? "");
  return Number.isNaN(at) || isOver(view) ? Number.MAX_SAFE_INTEGER : at;
}

const OVER: readonly string[] = ["official", "cancelled", "combined_into"];

function isOver(view: ConflictView): boolean {
  return OVER.includes(view.class?.status ?? "");
}

/** What waits for a person, under headings. */
export function openSections(items: readonly ConflictView[], refused: readonly QueueItem[], show: ShowText): Section[] {
  const ordered = byUrgency(items);
  const results = ordered.filter((view) => view.severity === "results");
  const rest = ordered.filter((view) => view.severity !== "results");
  const sections = together(rest, show);
  const first = [
    section("results", words.checks.blocksResults, results),
    {
      key: "refused",
      title: words.attention.group,
      entries: refused.map((item) => ({ kind: "refused" as const, id: item.op_id, item })),
      selectable: false,
    },
  ];
  return [...first, ...sections].filter(({ entries }) => entries.length > 0);
}

/** Groups in the order of their most urgent entry; what stands alone comes under one heading of its own. */
function together(ordered: readonly ConflictView[], show: ShowText): Section[] {
  const byOutage = grouped(ordered, outageKey);
  const alone = ordered.filter((view) => (byOutage.get(outageKey(view) ?? "")?.length ?? 0) < GROUP_MIN);
  const byClass = grouped(alone, (view) => view.class?.id);
  const sections = new Map<string, ConflictView[]>();
  const titles = new Map<string, string>();
  for (const view of ordered) {
    const [outage, shown] = [outageKey(view), view.class?.id];
    const put = (key: string, title: string) => {
      sections.set(key, [...(sections.get(key) ?? []), view]);
      titles.set(key, title);
    };
    if (outage !== undefined && (byOutage.get(outage)?.length ?? 0) >= GROUP_MIN) put(outage, outageTitle(view, show));
    else if (shown !== undefined && (byClass.get(shown)?.length ?? 0) >= GROUP_MIN) put(shown, classTitle(view));
    else put(ALONE, words.checks.oneByOne);
  }
  const made = [...sections].map(([key, views]) => section(key, titles.get(key) ?? "", views)).sort(bySeverity);
  // Without any group there is nothing that the heading would set apart.
  return made.length === 1 && made[0]?.key === ALONE ? [{ ...made[0], title: words.checks.otherOnes }] : made;
}

const ALONE = "alone";

/** A group comes before what stands alone, unless that is more severe. */
function bySeverity(one: Section, other: Section): number {
  return severityOf(one) - severityOf(other) || Number(one.key === ALONE) - Number(other.key === ALONE);
}

function severityOf({ entries }: Section): number {
  const [first] = entries;
  return first?.kind === "clash" ? SEVERITIES.indexOf(first.view.severity) : 0;
}

/** What is decided or was joined: today's, then the days before. */
export function pastSections(
  items: readonly ConflictView[],
  today: string,
  earlier: string,
  isToday: (iso: string) => boolean,
): Section[] {
  const at = (view: ConflictView) => view.resolved_at ?? view.opened_at;
  const newest = [...items].sort((one, other) => Date.parse(at(other)) - Date.parse(at(one)));
  const [now, before] = [newest.filter((view) => isToday(at(view))), newest.filter((view) => !isToday(at(view)))];
  const made = [section("today", today, now), section("earlier", earlier, before)];
  return made.filter(({ entries }) => entries.length > 0).map((one) => ({ ...one, selectable: false }));
}

function section(key: string, title: string, views: readonly ConflictView[]): Section {
  const entries = views.map((view) => ({ kind: "clash" as const, id: view.id, view }));
  return { key, title, entries, selectable: true };
}

function grouped<T>(items: readonly T[], key: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const found = key(item);
    if (found !== undefined) groups.set(found, [...(groups.get(found) ?? []), item]);
  }
  return groups;
}

function outageKey(view: ConflictView): string | undefined {
  return view.outage ? `${view.outage.device_id} ${view.outage.away_from}` : undefined;
}

/** `Maria’s phone, away 9:05–9:41`. */
export function outageTitle(view: ConflictView, show: ShowText): string {
  const { outage } = view;
  if (!outage) return "";
  const phone = phoneName(textAt(view.author, "name") ?? outage.device_name, outage.device_name);
  return words.checks.awayGroup(phone, moment(outage.away_from, show), moment(outage.back_at, show));
}

function classTitle(view: ConflictView): string {
  return words.checks.classGroup(view.class?.code ?? undefined, view.class?.name ?? "");
}
