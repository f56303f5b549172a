// How a rule stands, which rules come first, and how one is changed with a way back.

import type { AlertRule, AlertSeverity, Rule } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { moment, type ShowText } from "../../text/format.ts";
import { fromLocal, toLocal } from "../../text/local-time.ts";
import { words } from "../../text/words.ts";

const text = words.alerts;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What people ask about first; the others follow as the desk has them. */
const FIRST: readonly string[] = ["phone_away_unsent", "slow_answers", "conflicts_waiting", "disk_low"];

const WORST: Readonly<Record<AlertSeverity, number>> = { critical: 0, warning: 1, notice: 2 };

/** The rule in words, after “Tell me when”. */
export function sentenceOf({ sentence }: Pick<AlertRule, "sentence">): string {
  return sentence.map((part) => part.text).join("");
}

export function isSilent({ rule }: Pick<AlertRule, "rule">, now: number): boolean {
  return rule.silenced_until !== null && Date.parse(rule.silenced_until) > now;
}

export interface Standing {
  is: "firing" | "pending" | "no_data" | "quiet" | "silent" | "off";
  text: string;
}

export function standingOf(alert: AlertRule, show: ShowText): Standing {
  const { rule, phase, firing } = alert;
  if (!rule.enabled) return { is: "off", text: text.off };
  if (isSilent(alert, show.now)) {
    return { is: "silent", text: text.silent(moment(rule.silenced_until ?? "", show)) };
  }
  if (firing.length > 0) return { is: "firing", text: text.now(firing.length) };
  if (phase === "no_data") return { is: "no_data", text: text.noData };
  return phase === "pending" ? { is: "pending", text: text.pending } : { is: "quiet", text: text.quiet };
}

/** What fires first, then what is about to, then what people ask about, then what nothing is known of, and what is off. */
export function inOrder(alerts: readonly AlertRule[], now: number): AlertRule[] {
  const place = (alert: AlertRule) => {
    if (!alert.rule.enabled) return 4;
    if (isSilent(alert, now)) return 2;
    if (alert.firing.length > 0) return 0;
    return alert.phase === "pending" ? 1 : alert.phase === "no_data" ? 3 : 2;
  };
  const asked = ({ rule }: AlertRule) => {
    const found = FIRST.indexOf(rule.id);
    return found < 0 ? FIRST.length : found;
  };
  const worst = (alert: AlertRule) => (place(alert) === 0 ? WORST[alert.rule.severity] : 0);
  return [...alerts].sort((a, b) => place(a) - place(b) || worst(a) - worst(b) || asked(a) - asked(b));
}

/** The rules that want somebody now, the worst first. */
export function needsYou(alerts: readonly AlertRule[], now: number): AlertRule[] {
  const loud = alerts.filter((alert) => alert.rule.enabled && alert.firing.length > 0 && !isSilent(alert, now));
  return loud.sort((a, b) => WORST[a.rule.severity] - WORST[b.rule.severity]);
}

/** What is said of a rule that fires; one that somebody made has its sentence only. */
export function headlineOf(alert: AlertRule): string {
  const said = (alert.built_in ? alert.headline : undefined) ?? sentenceOf(alert);
  return said.charAt(0).toUpperCase() + said.slice(1);
}

/** Who or what is in trouble: `Maria’s phone, Scale A`. */
export function namesOf({ firing }: Pick<AlertRule, "firing">): string {
  const names = firing.map(({ name }) => (name === "" ? text.laptop : name));
  const more = names.length - NAMES_MAX;
  return more > 0 ? text.namesAndMore(names.slice(0, NAMES_MAX), more) : names.join(", ");
}

/** Names that are said; the rest is counted. */
const NAMES_MAX = 3;

/** Where all is well again, when the limit moves: as far from it as before, in proportion. */
export function recoveryFor(
  { threshold, recovery }: Pick<Rule, "threshold" | "recovery">,
  limit: number,
  most: number,
): number {
  if (recovery === threshold || threshold === 0) return limit;
  return Math.min(most, (recovery / threshold) * limit);
}

/** The limit, with the place where all is well again. */
export function withLimit({ rule, unit }: Pick<AlertRule, "rule" | "unit">, limit: number): Partial<Rule> {
  const most = unit === "percent" ? Math.max(100, limit) : Number.MAX_VALUE;
  return { threshold: limit, recovery: recoveryFor(rule, limit, most) };
}

/** Six in the morning at the show, next time. */
export function nextMorning(now: number, timezone: string): string {
  for (const day of [0, 1]) {
    const date = toLocal(new Date(now + day * DAY_MS).toISOString(), timezone).slice(0, 10);
    const morning = fromLocal(`${date}T06:00`, timezone);
    if (morning !== undefined && Date.parse(morning) > now) return morning;
  }
  return new Date(now + 8 * HOUR_MS).toISOString();
}

export function inAnHour(now: number): string {
  return new Date(now + HOUR_MS).toISOString();
}

/** Saves a rule; what is said of it has a way back. Answers whether it was kept. */
export async function saveRule(desk: Desk, before: Rule, change: Partial<Rule>, says: string): Promise<boolean> {
  const isKept = await put(desk, { ...before, ...change });
  if (isKept) {
    const undo = { label: text.undo, run: () => void put(desk, before) };
    desk.toasts.show({ text: says, tone: "plain", action: undo });
  }
  return isKept;
}

/** Takes an own rule away, or puts a built-in one back to how it came. */
export async function dropRule(desk: Desk, alert: AlertRule): Promise<boolean> {
  const says = alert.built_in ? text.wasSetBack : text.removed(sentenceOf(alert));
  return during(desk, async () => {
    await desk.api.dropRule(alert.rule.id);
    desk.toasts.show({
      text: says,
      tone: "plain",
      action: { label: text.undo, run: () => void put(desk, alert.rule) },
    });
  });
}

export function put(desk: Desk, rule: Rule): Promise<boolean> {
  return during(desk, () => desk.api.setRule(rule));
}

async function during(desk: Desk, run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    desk.toasts.show({ text: text.notSaved(errorText(error)), tone: "bad" });
    return false;
  } finally {
    await desk.alerts.refresh();
  }
}
