// Figures, problems and alerts between the server's words and what the screens read: what is not there is undefined, and
// words are known ones.

import type { components } from "@showdesk/api";

import type {
  AlertEvent,
  AlertRule,
  AlertSettings,
  AlertSeverity,
  CacheState,
  Charts,
  LimitUnit,
  Problem,
  ProblemItem,
  Recording,
  RequestItem,
  Rule,
  RulePart,
  Sink,
} from "./health-types.ts";
import { json, known } from "./read-json.ts";

type Schemas = components["schemas"];

const PHASES: readonly AlertRule["phase"][] = ["normal", "pending", "firing", "recovering", "no_data"];
const STATUSES: readonly ProblemItem["status"][] = ["open", "resolved", "ignored", "regressed"];
const KINDS: readonly AlertEvent["kind"][] = ["firing", "still_firing", "resolved"];
const WAYS = ["push", "webhook"] as const;
const PARTS: readonly RulePart["kind"][] = ["words", "limit", "wait"];
const UNITS: readonly LimitUnit[] = ["milliseconds", "seconds", "count", "percent", "bytes", "flag"];
const AGGREGATES: readonly Rule["aggregate"][] = ["p50", "p95", "p99", "rate", "share", "count", "last"];
const SIDES: readonly Rule["operator"][] = ["above", "below"];
const SEVERITIES: readonly AlertSeverity[] = ["notice", "warning", "critical"];
const SINKS: readonly Sink[] = ["desktop", "stream", "push", "webhook"];

export function chartsOf(from: Schemas["Charts"]): Charts {
  return {
    from: from.from,
    to: from.to,
    charts: from.charts.map(({ key, title, subtitle, summary, svg, table, starts, measured, events }) => ({
      key,
      title,
      subtitle,
      summary,
      svg,
      table,
      starts,
      measured,
      events,
    })),
  };
}

export function requestOf(from: Schemas["RequestItem"]): RequestItem {
  const { id, task, endpoint, method, duration_ms, weight, at } = from;
  return {
    id,
    task,
    endpoint,
    method,
    status: from.status_code,
    duration_ms,
    weight,
    person: from.person ?? undefined,
    at,
  };
}

export function problemItemOf(from: Schemas["ErrorItem"]): ProblemItem {
  return {
    fingerprint: from.fingerprint,
    title: from.title,
    kind: from.kind,
    task: from.task ?? undefined,
    on_phones: from.source === "phone",
    status: known(STATUSES, from.status, "open"),
    count: from.count,
    people: from.people,
    phones: from.phones,
    first_seen: from.first_seen,
    last_seen: from.last_seen,
  };
}

export function problemOf(from: Schemas["ErrorDetail"]): Problem {
  const samples = from.samples.map((sample) => ({
    id: sample.id,
    at: sample.at,
    message: sample.message,
    stack: sample.stack ?? undefined,
    context: json(sample.context),
    person: sample.person ?? undefined,
    device: sample.device ?? undefined,
    number: sample.request_id ?? undefined,
  }));
  return { ...problemItemOf(from), samples: samples.sort((a, b) => Date.parse(b.at) - Date.parse(a.at)) };
}

export function alertRuleOf(from: Schemas["AlertRuleView"]): AlertRule {
  const { rule, built_in, changed, sentence, units, state } = from;
  return {
    rule: ruleOf(rule, state.silenced_until ?? null),
    built_in,
    changed,
    sentence: sentence.map(({ kind, text }) => ({ kind: known(PARTS, kind, "words"), text })),
    unit: known(UNITS, units.threshold, "count"),
    phase: known(PHASES, state.phase, "normal"),
    headline: state.headline ?? undefined,
    firing: state.firing.map(({ subject, name, since, value }) => ({
      subject,
      name: name ?? "",
      since,
      value: value ?? undefined,
    })),
  };
}

function ruleOf(from: Schemas["AlertRule"], silenced_until: string | null): Rule {
  return {
    ...from,
    filter: from.filter ?? {},
    aggregate: known(AGGREGATES, from.aggregate, "last"),
    operator: known(SIDES, from.operator, "above"),
    repeat: from.repeat ?? null,
    severity: known(SEVERITIES, from.severity, "warning"),
    quiet_hours: from.quiet_hours ?? null,
    sinks: SINKS.filter((sink) => from.sinks.includes(sink)),
    silenced_until,
  };
}

export function alertEventOf(from: Schemas["AlertEvent"]): AlertEvent {
  return {
    id: from.id,
    rule: from.rule,
    kind: known(KINDS, from.kind, "firing"),
    headline: from.headline,
    detail: from.detail ?? "",
    severity: known(SEVERITIES, from.severity, "warning"),
    quiet: from.quiet,
    failed: WAYS.filter((way) => from[way] === "failed"),
    at: from.at,
  };
}

export function alertSettingsOf({ desktop, push, webhook, quiet_hours }: Schemas["AlertSettings"]): AlertSettings {
  const clock = (time: string) => time.slice(0, 5);
  return {
    desktop,
    push,
    webhook: webhook ? { address: webhook.address, last: webhook.last ?? undefined } : undefined,
    quiet_hours: quiet_hours ? { from: clock(quiet_hours.from), until: clock(quiet_hours.until) } : undefined,
  };
}

export function cacheOf(from: Schemas["CacheView"]): CacheState {
  return {
    bytes: from.bytes,
    bytes_max: from.bytes_max,
    entries: from.entries,
    hit_percent: from.hit_percent ?? undefined,
    kinds: [...from.kinds].sort((a, b) => b.bytes - a.bytes),
    on_disk: from.on_disk,
    top: from.top,
  };
}

export function recordingOf({
  off,
  dropped,
  bytes,
  last_clean_up: last,
  kept_days,
}: Schemas["RecordingStatus"]): Recording {
  const rows = last ? last.requests + last.rollups + last.errors + last.error_groups + last.alert_events : 0;
  return {
    off: off ?? undefined,
    dropped,
    bytes: bytes ?? undefined,
    last_clean_up: last ? { at: last.at, rows } : undefined,
    kept_days,
  };
}
