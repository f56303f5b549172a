// What a rule of one's own can be about. Pure.

import type { Aggregate, LimitUnit, Rule, Sink } from "../../data/desk-api.ts";
import { words } from "../../text/words.ts";

export type Group = keyof typeof words.alerts.dialog.groups;

/** Something that can be watched. */
export interface Thing {
  key: string;
  group: Group;
  /** As it stands in the list and in the sentence. */
  label: string;
  metric: string;
  aggregate: Aggregate;
  unit: LimitUnit;
  /** What is trouble, unless somebody says otherwise. */
  side: Rule["operator"];
}

const thing = (
  group: Group,
  label: string,
  metric: string,
  aggregate: Aggregate,
  unit: LimitUnit,
  side: Rule["operator"] = "above",
): Thing => ({ key: `${metric}.${aggregate}`, group, label, metric, aggregate, unit, side });

const text = words.alerts.things;

export const THINGS: readonly Thing[] = [
  thing("answers", text.p95, "requests", "p95", "milliseconds"),
  thing("answers", text.p99, "requests", "p99", "milliseconds"),
  thing("answers", text.p50, "requests", "p50", "milliseconds"),
  thing("answers", text.share, "requests", "share", "percent"),
  thing("answers", text.rate, "requests", "rate", "count"),
  thing("phones", text.phonesConnected, "phones_connected", "last", "count", "below"),
  thing("phones", text.phoneAway, "phone_away_unsent", "last", "seconds"),
  thing("phones", text.phoneUnsent, "phone_unsent", "last", "count"),
  thing("phones", text.phoneLag, "phone_lag", "last", "count"),
  thing("phones", text.clockSkew, "clock_skew", "last", "seconds"),
  thing("entries", text.conflictsOpen, "conflicts_open", "last", "count"),
  thing("entries", text.conflictAge, "conflict_age", "last", "seconds"),
  thing("entries", text.queueDepth, "queue_depth", "last", "count"),
  thing("entries", text.queueAge, "queue_age", "last", "seconds"),
  thing("entries", text.syncOps, "sync_ops", "rate", "count"),
  thing("entries", text.deliveries, "deliveries", "rate", "count"),
  thing("laptop", text.battery, "battery", "last", "percent", "below"),
  thing("laptop", text.diskFree, "disk_free", "last", "bytes", "below"),
  thing("laptop", text.database, "database_bytes", "last", "bytes"),
  thing("laptop", text.log, "wal_bytes", "last", "bytes"),
  thing("laptop", text.processor, "processor", "last", "percent"),
  thing("laptop", text.memory, "memory", "last", "bytes"),
];

/** What a rule is about, if somebody could have made it. */
export function thingOf(metric: string, aggregate: string): Thing | undefined {
  return THINGS.find((one) => one.metric === metric && one.aggregate === aggregate);
}

/** With fewer requests in five minutes there is nothing to complain of. */
const SAMPLES_MIN = 20;

/** What somebody chose. */
export interface Wanted {
  thing: Thing;
  side: Rule["operator"];
  limit: number;
  wait: number;
  severity: Rule["severity"];
  sinks: readonly Sink[];
}

/** The rule for it. */
export function ruleOf(id: string, { thing, side, limit, wait, severity, sinks }: Wanted): Rule {
  const isOfRequests = thing.metric === "requests";
  const isCounted = thing.aggregate === "rate";
  return {
    id,
    metric: thing.metric,
    filter: {},
    // What is counted is looked at over five minutes, what stands is looked at as it stands.
    window: isOfRequests || isCounted ? 300 : 120,
    aggregate: thing.aggregate,
    operator: side,
    threshold: limit,
    recovery: limit,
    wait,
    keep: isOfRequests || isCounted ? 300 : 60,
    repeat: 3600,
    samples_min: isOfRequests && !isCounted ? SAMPLES_MIN : 1,
    missing_after: 600,
    tell_missing: false,
    severity,
    quiet_hours: null,
    sinks: [...sinks],
    silenced_until: null,
    enabled: true,
  };
}
