// What the desk measured, what went wrong, and when somebody is told, as the desk tells it.

import type { Json } from "../text/json.ts";
import type { Person } from "./desk-api.ts";

/** How far back the charts look. */
export type ChartRange = "1h" | "today" | "show";

/** Something that happened, marked in the charts. */
export interface ChartEvent {
  at: string;
  words: string;
}

export interface Chart {
  key: string;
  title: string;
  /** Unit and step. */
  subtitle: string;
  /** One sentence about the values. */
  summary: string;
  svg: string;
  /** The values in words: a heading for each column, and the lines with their headings first. */
  table: { columns: readonly string[]; rows: readonly (readonly string[])[] };
  /** When each step begins; the last one ends with the charts. */
  starts: readonly string[];
  /** Whether there is any value at all. */
  measured: boolean;
  events: readonly ChartEvent[];
}

export interface Charts {
  from: string;
  to: string;
  charts: readonly Chart[];
}

/** Which drawings of the charts. */
export interface ChartView {
  range: ChartRange;
  /** Beside yesterday's. */
  compare: boolean;
}

export type ChartFormat = "svg" | "png" | "csv";

/** A request as it was kept: all slow and failed ones, and some of the others. */
export interface RequestItem {
  id: string;
  /** What it was for: “Send entries”. */
  task: string;
  endpoint: string;
  method: string;
  status: number;
  duration_ms: number;
  /** How many it stands for. */
  weight: number;
  person: Person | undefined;
  at: string;
}

export interface RequestFilter {
  from: string;
  to: string;
  task?: string | undefined;
  only?: "slow" | "failed" | undefined;
}

export interface RequestPage {
  items: RequestItem[];
  cursor: string | undefined;
}

export type ProblemStatus = "open" | "resolved" | "ignored" | "regressed";

/** Errors that are one and the same. */
export interface ProblemItem {
  fingerprint: string;
  title: string;
  kind: string;
  /** What was being done. */
  task: string | undefined;
  /** Whether it happens on phones, not on the laptop. */
  on_phones: boolean;
  status: ProblemStatus;
  count: number;
  people: number;
  phones: number;
  first_seen: string;
  last_seen: string;
}

export interface ProblemSample {
  id: string;
  at: string;
  message: string;
  stack: string | undefined;
  context: Json;
  person: Person | undefined;
  device: { id: string; name: string } | undefined;
  /** The number that the person was shown. */
  number: string | undefined;
}

export interface Problem extends ProblemItem {
  /** The first ones and the last ones, newest first. */
  samples: ProblemSample[];
}

export interface ProblemPage {
  /** How many are open or came back. */
  open: number;
  items: ProblemItem[];
  cursor: string | undefined;
}

export interface ProblemFilter {
  status?: "open" | "solved" | "ignored";
  from?: string;
  to?: string;
  /** The number that a person was shown. */
  number?: string;
}

export type Aggregate = "p50" | "p95" | "p99" | "rate" | "share" | "count" | "last";
export type AlertSeverity = "notice" | "warning" | "critical";
export type Sink = "desktop" | "stream" | "push" | "webhook";

/** From when to when, by the show's clock: `22:00`. */
export interface QuietHours {
  from: string;
  until: string;
}

/** When to tell whom of what, as the desk keeps it. Times are seconds. */
export interface Rule {
  id: string;
  metric: string;
  filter: Record<string, string>;
  window: number;
  aggregate: Aggregate;
  operator: "above" | "below";
  threshold: number;
  /** From here on all is well again. */
  recovery: number;
  wait: number;
  keep: number;
  repeat: number | null;
  samples_min: number;
  missing_after: number;
  tell_missing: boolean;
  severity: AlertSeverity;
  quiet_hours: QuietHours | null;
  sinks: Sink[];
  silenced_until: string | null;
  enabled: boolean;
}

/** A piece of a rule's sentence; its limit and its wait can be edited. */
export interface RulePart {
  kind: "words" | "limit" | "wait";
  text: string;
}

export type LimitUnit = "milliseconds" | "seconds" | "count" | "percent" | "bytes" | "flag";

/** A phone, a provider or the laptop that is in trouble. */
export interface FiringSubject {
  subject: string;
  /** Empty for the laptop itself. */
  name: string;
  since: string;
  value: number | undefined;
}

export interface AlertRule {
  rule: Rule;
  built_in: boolean;
  /** A built-in one that is not as it came. */
  changed: boolean;
  sentence: RulePart[];
  /** In what the limit is said. */
  unit: LimitUnit;
  phase: "normal" | "pending" | "firing" | "recovering" | "no_data";
  /** What is said while it fires. */
  headline: string | undefined;
  firing: FiringSubject[];
}

/** Something that was told. */
export interface AlertEvent {
  id: string;
  rule: string;
  kind: "firing" | "still_firing" | "resolved";
  headline: string;
  detail: string;
  severity: AlertSeverity;
  /** It was silenced, or the hours were quiet: nobody was told. */
  quiet: boolean;
  /** Ways by which it did not come through. */
  failed: ("push" | "webhook")[];
  at: string;
}

export interface AlertEventPage {
  items: AlertEvent[];
  cursor: string | undefined;
}

/** Where all alerts are said. */
export interface AlertSettings {
  desktop: boolean;
  push: boolean;
  /** Of its address only the beginning comes back. */
  webhook: { address: string; last: { at: string; ok: boolean; sentence: string } | undefined } | undefined;
  quiet_hours: QuietHours | undefined;
}

/** What is named becomes so; the rest stays. */
export type AlertSettingsChange = Partial<{
  desktop: boolean;
  push: boolean;
  webhook: { url: string } | null;
  quiet_hours: QuietHours | null;
}>;

/** What the desk keeps ready in memory. */
export interface CacheState {
  bytes: number;
  bytes_max: number;
  entries: number;
  /** Of a hundred answers; undefined until somebody asked. */
  hit_percent: number | undefined;
  kinds: { tag: string; name: string; bytes: number; entries: number }[];
  /** What is there after a restart, too. */
  on_disk: { bytes: number; entries: number };
  top: { key: string; scope: string; bytes: number; hits: number; expires_at: string }[];
}

/** What was measured and kept, and what the last clean-up took away. */
export interface Recording {
  /** Why nothing is kept. */
  off: string | undefined;
  dropped: number;
  bytes: number | undefined;
  last_clean_up: { at: string; rows: number } | undefined;
  kept_days: { requests: number; errors: number };
}

/** An error of this page, for the list of problems. */
export interface PageError {
  error_type: string;
  message: string;
  stack_trace: string | undefined;
  context: Readonly<Record<string, string>>;
  at: string;
}

/** What the desk asks about its own health. */
export interface HealthCalls {
  charts(view: ChartView, width: number): Promise<Charts>;
  chartFile(key: string, format: ChartFormat, view: ChartView, theme: "light" | "dark"): Promise<Blob>;
  /** The show's report: one page that prints well. */
  report(): Promise<Blob>;
  requestsOf(filter: RequestFilter, cursor: string | undefined): Promise<RequestPage>;
  problems(filter: ProblemFilter, cursor: string | undefined): Promise<ProblemPage>;
  problem(fingerprint: string): Promise<Problem>;
  setProblem(fingerprint: string, status: "open" | "resolved" | "ignored"): Promise<void>;
  alertRules(): Promise<AlertRule[]>;
  /** Adds a rule, or changes the one of this id. */
  setRule(rule: Rule): Promise<void>;
  /** Takes an own rule away; a built-in one becomes as it came. */
  dropRule(id: string): Promise<void>;
  alertEvents(cursor: string | undefined, limit: number): Promise<AlertEventPage>;
  alertSettings(): Promise<AlertSettings>;
  setAlertSettings(change: AlertSettingsChange): Promise<AlertSettings>;
  /** Says a line of trial at the web address. */
  testWebhook(): Promise<{ ok: boolean; sentence: string }>;
  cache(): Promise<CacheState>;
  /** Without a tag all of it. Answers how many entries went. */
  clearCache(tag: string | undefined): Promise<number>;
  recording(): Promise<Recording>;
  tellErrors(errors: readonly PageError[]): Promise<void>;
}
