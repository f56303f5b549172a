// Figures, problems and alerts of a small show, from memory, for tests.

import type {
  AlertEvent,
  AlertRule,
  CacheState,
  Chart,
  HealthCalls,
  ProblemItem,
  Recording,
  RequestItem,
  Rule,
} from "../data/desk-api.ts";

const STARTS = ["2026-08-14T14:35:00.000Z", "2026-08-14T14:40:00.000Z", "2026-08-14T14:45:00.000Z"];
const TIMES = ["9:35", "9:40", "9:45"];

/** A drawing as the desk makes it: three steps in a plot of 300 × 100. */
function svg(title: string, series: readonly object[]): string {
  const points = JSON.stringify({ plot: [44, 60, 300, 100], x: [94, 194, 294], times: TIMES, series });
  const data = points.replaceAll('"', "&quot;");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="504" height="200" role="img" aria-label="${title}" data-points="${data}"><title>${title}</title></svg>`;
}

export function responseTime(change: Partial<Chart> = {}): Chart {
  const series = [
    { name: "p95", colour: "--p95", values: ["180 ms", "560 ms", null], y: [140, 80, null] },
    { name: "Errors", colour: "--err", values: ["0", "14", null] },
  ];
  return {
    key: "response-time",
    title: "Response time",
    subtitle: "ms, 5 min steps, p95 is the slow 5 %",
    summary: "Response time from 9:35 to 9:50.",
    svg: svg("Response time", series),
    table: {
      columns: ["Time", "p95", "Errors"],
      rows: [
        ["9:35", "180 ms", "0"],
        ["9:40", "560 ms", "14"],
        ["9:45", "", ""],
      ],
    },
    starts: STARTS,
    measured: true,
    events: [{ at: "2026-08-14T14:41:00.000Z", words: "Maria’s phone back" }],
    ...change,
  };
}

export function slowSpots(): Chart {
  const series = [
    { name: "Send entries", colour: "--p95", values: ["90 ms", "620 ms", "80 ms"] },
    { name: "Get changes", colour: "--p95", values: ["60 ms", "517 ms", "70 ms"] },
  ];
  return {
    ...responseTime(),
    key: "slow-spots",
    title: "Slow spots",
    subtitle: "p95 in ms, by task and time",
    svg: svg("Slow spots", series),
    table: { columns: ["Task", ...TIMES], rows: series.map(({ name, values }) => [name, ...values]) },
  };
}

export function problem(change: Partial<ProblemItem> = {}): ProblemItem {
  return {
    fingerprint: "f-1",
    title: "Phone could not save: storage full",
    kind: "StorageFull",
    task: undefined,
    on_phones: true,
    status: "open",
    count: 4,
    people: 2,
    phones: 2,
    first_seen: "2026-08-14T14:02:00.000Z",
    last_seen: "2026-08-14T14:20:00.000Z",
    ...change,
  };
}

export function rule(change: Partial<Rule> = {}): Rule {
  return {
    id: "slow_answers",
    metric: "requests",
    filter: {},
    window: 300,
    aggregate: "p95",
    operator: "above",
    threshold: 500,
    recovery: 400,
    wait: 300,
    keep: 300,
    repeat: 3600,
    samples_min: 20,
    missing_after: 600,
    tell_missing: false,
    severity: "warning",
    quiet_hours: null,
    sinks: ["desktop", "stream"],
    silenced_until: null,
    enabled: true,
    ...change,
  };
}

export function slowAnswers(change: Partial<AlertRule> = {}): AlertRule {
  return {
    rule: rule(),
    built_in: true,
    changed: false,
    sentence: [
      { kind: "words", text: "slow answers (p95) take over " },
      { kind: "limit", text: "500 ms" },
      { kind: "words", text: " for " },
      { kind: "wait", text: "5 min" },
    ],
    unit: "milliseconds",
    phase: "normal",
    headline: undefined,
    firing: [],
    ...change,
  };
}

/** Maria’s phone is away and holds entries. */
export function phoneAway(change: Partial<AlertRule> = {}): AlertRule {
  return {
    ...slowAnswers(),
    rule: rule({
      id: "phone_away_unsent",
      metric: "phone_away_unsent",
      aggregate: "last",
      threshold: 600,
      recovery: 0,
      wait: 0,
    }),
    sentence: [
      { kind: "words", text: "a phone is away " },
      { kind: "limit", text: "10 min" },
      { kind: "words", text: " with unsent work" },
    ],
    unit: "seconds",
    phase: "firing",
    headline: "A phone is away with unsent work",
    firing: [{ subject: "d-maria", name: "Maria’s phone", since: "2026-08-14T15:16:00.000Z", value: 1740 }],
    ...change,
  };
}

export function alertEvent(change: Partial<AlertEvent> = {}): AlertEvent {
  return {
    id: "e-1",
    rule: "phone_away_unsent",
    kind: "firing",
    headline: "A phone is away with unsent work",
    detail: "Maria’s phone",
    severity: "warning",
    quiet: false,
    failed: [],
    at: "2026-08-14T15:16:00.000Z",
    ...change,
  };
}

export function request(change: Partial<RequestItem> = {}): RequestItem {
  return {
    id: "r-1",
    task: "Send entries",
    endpoint: "/api/v1/sync/push",
    method: "POST",
    status: 200,
    duration_ms: 620,
    weight: 1,
    person: { id: "p-maria", name: "Maria" },
    at: "2026-08-14T14:41:07.000Z",
    ...change,
  };
}

export const CACHE: CacheState = {
  bytes: 41 * 1024 ** 2,
  bytes_max: 64 * 1024 ** 2,
  entries: 812,
  hit_percent: 94.2,
  kinds: [
    { tag: "show-book", name: "Show book", bytes: 18 * 1024 ** 2, entries: 12 },
    { tag: "class-lists", name: "Class lists", bytes: 12 * 1024 ** 2, entries: 90 },
    { tag: "charts", name: "Charts", bytes: 6 * 1024 ** 2, entries: 40 },
  ],
  on_disk: { bytes: 2 * 1024 ** 2, entries: 30 },
  top: [],
};

const RECORDING: Recording = {
  off: undefined,
  dropped: 0,
  bytes: 12 * 1024 ** 2,
  last_clean_up: { at: "2026-08-14T08:00:00.000Z", rows: 1204 },
  kept_days: { requests: 30, errors: 90 },
};

/** Everything the desk asks about its health; each call can be replaced. */
export function fakeHealth(): HealthCalls {
  const unexpected = () => Promise.reject(new Error("not expected"));
  return {
    charts: () =>
      Promise.resolve({ from: STARTS[0] ?? "", to: "2026-08-14T14:50:00.000Z", charts: [responseTime(), slowSpots()] }),
    chartFile: unexpected,
    report: unexpected,
    requestsOf: () => Promise.resolve({ items: [], cursor: undefined }),
    problems: () => Promise.resolve({ open: 0, items: [], cursor: undefined }),
    problem: unexpected,
    setProblem: unexpected,
    alertRules: () => Promise.resolve([]),
    setRule: unexpected,
    dropRule: unexpected,
    alertEvents: () => Promise.resolve({ items: [], cursor: undefined }),
    alertSettings: () => Promise.resolve({ desktop: true, push: false, webhook: undefined, quiet_hours: undefined }),
    setAlertSettings: unexpected,
    testWebhook: unexpected,
    cache: () => Promise.resolve(CACHE),
    clearCache: unexpected,
    recording: () => Promise.resolve(RECORDING),
    tellErrors: () => Promise.resolve(),
  };
}
