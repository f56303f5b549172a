import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ApiProblem, Unreachable } from "@showdesk/api";

import type { DeskApi, PageError } from "../../data/desk-api.ts";
import { Desk } from "../../data/desk.svelte.ts";
import { followPageErrors } from "../../data/page-errors.ts";
import { parseRoute } from "../../shell/route.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { phoneAway, problem, responseTime, rule, slowAnswers, slowSpots } from "../../testing/fake-health.ts";
import { NOW, show } from "../../testing/samples.ts";
import { healthAddress, readHealthAddress, type HealthView } from "./address.ts";
import { Health, splitCharts } from "./health.svelte.ts";
import { problemLine } from "./problems.ts";
import { inOrder, needsYou, nextMorning, recoveryFor, standingOf, withLimit } from "./rules.ts";
import { ruleOf, THINGS } from "./things.ts";
import { crc32, zip } from "./zip.ts";

const VIEWS: readonly HealthView[] = [
  { range: "today", compare: false, open: undefined },
  { range: "1h", compare: true, open: { is: "problem", id: "a/b c" } },
  { range: "show", compare: false, open: { is: "rule", id: "slow_answers" } },
  {
    range: "1h",
    compare: false,
    open: { is: "around", from: "2026-08-14T14:40:00.000Z", to: "2026-08-14T14:45:00.000Z", task: "Send entries" },
  },
];

test.each(VIEWS)("what is shown stands in the address: %j", (view) => {
  expect(readHealthAddress(parseRoute(healthAddress(view)))).toEqual(view);
});

test("an address that nobody made shows the page", () => {
  for (const hash of ["#/health/around/x/y", "#/health/problem/", "#/health/%E0%A4%A", "#/health?range=year"]) {
    expect(readHealthAddress(parseRoute(hash))).toEqual({ range: "today", compare: false, open: undefined });
  }
  expect(readHealthAddress(parseRoute("#/health?range=show&compare")).compare).toBe(false);
});

test("charts are drawn for the room they have, and again when it changes, once it stands", async () => {
  vi.useFakeTimers();
  const charts = vi.fn<DeskApi["charts"]>(() => Promise.resolve({ from: "", to: "", charts: [] }));
  const health = new Health(new Desk(fakeApi([], { charts })));
  health.fit(1024);
  health.look({ range: "1h", compare: true });
  await vi.advanceTimersByTimeAsync(1_000);
  health.fit(1000);
  health.fit(600);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(charts.mock.calls).toEqual([
    [{ range: "1h", compare: true }, 502],
    [{ range: "1h", compare: true }, 598],
  ]);
});

test("the four charts of the first screen stand in their order, the others follow", () => {
  const charts = ["storage", "slow-spots", "cache", "response-time"].map((key) => responseTime({ key }));
  const { first, others } = splitCharts(charts);
  expect(first.map(({ key }) => key)).toEqual(["response-time", "slow-spots"]);
  expect(others.map(({ key }) => key)).toEqual(["storage", "cache"]);
  expect(slowSpots().table.rows[0]?.[0]).toBe("Send entries");
});

test("a problem is told by the phones it is on, else by what was being done", () => {
  expect(problemLine(problem(), show)).toBe("2 phones, first 9:02");
  const slow = { on_phones: false, phones: 0, task: "Send entries", count: 14 };
  const [first_seen, last_seen] = ["2026-08-14T14:41:00.000Z", "2026-08-14T14:49:00.000Z"];
  expect(problemLine(problem({ ...slow, first_seen, last_seen }), show)).toBe("Send entries, 9:41–9:49");
  expect(problemLine(problem({ ...slow, first_seen, last_seen: first_seen }), show)).toBe("Send entries, first 9:41");
  expect(problemLine(problem({ phones: 0 }), show)).toBe("First 9:02");
  expect(problemLine(problem({ on_phones: false, phones: 1 }), show)).toBe("The laptop, first 9:02");
});

test("a rule says how it stands", () => {
  const silenced_until = "2026-08-14T16:45:00.000Z";
  const said = [
    phoneAway(),
    phoneAway({ rule: rule({ silenced_until }) }),
    phoneAway({ rule: rule({ enabled: false }) }),
    slowAnswers(),
    slowAnswers({ phase: "pending" }),
    slowAnswers({ phase: "no_data" }),
    slowAnswers({ rule: rule({ silenced_until: "2026-08-14T15:00:00.000Z" }) }),
  ].map((alert) => standingOf(alert, show).text);
  expect(said).toEqual(["1 now", "Silent until 11:45", "Off", "Quiet", "Watching", "No data", "Quiet"]);
});

test("what fires stands first, the worst before, and what is off last", () => {
  const disk = phoneAway({ rule: rule({ id: "disk_low", severity: "critical" }) });
  const off = slowAnswers({ rule: rule({ id: "off", enabled: false }) });
  const order = inOrder([off, slowAnswers(), phoneAway(), disk], NOW).map(({ rule: { id } }) => id);
  expect(order).toEqual(["disk_low", "phone_away_unsent", "slow_answers", "off"]);
});

test("silent rules, and those that are off, need nobody", () => {
  const silent = phoneAway({ rule: rule({ silenced_until: "2026-08-14T18:00:00.000Z" }) });
  const off = phoneAway({ rule: rule({ enabled: false }) });
  expect(needsYou([silent, off, slowAnswers()], NOW)).toEqual([]);
  expect(needsYou([silent, phoneAway()], NOW)).toEqual([phoneAway()]);
});

test("when a limit moves, all is well again as far from it as before", () => {
  expect(withLimit(slowAnswers(), 800)).toEqual({ threshold: 800, recovery: 640 });
  expect(withLimit(phoneAway(), 1200)).toEqual({ threshold: 1200, recovery: 0 });
  expect(recoveryFor({ threshold: 0.5, recovery: 0.5 }, 3, 100)).toBe(3);
  // A battery is never fuller than full.
  const battery = slowAnswers({ unit: "percent", rule: rule({ operator: "below", threshold: 20, recovery: 30 }) });
  expect(withLimit(battery, 90)).toEqual({ threshold: 90, recovery: 100 });
});

test.each([
  ["2026-08-14T15:45:00.000Z", "2026-08-15T11:00:00.000Z"],
  ["2026-08-15T07:00:00.000Z", "2026-08-15T11:00:00.000Z"],
  ["2026-08-15T11:00:00.000Z", "2026-08-16T11:00:00.000Z"],
])("at %s the next morning at the show is %s", (now, morning) => {
  expect(nextMorning(Date.parse(now), "America/Chicago")).toBe(morning);
});

test("a rule of one's own can be followed, whatever it is about", () => {
  expect(new Set(THINGS.map(({ key }) => key)).size).toBe(THINGS.length);
  for (const thing of THINGS) {
    const wanted = { thing, side: thing.side, limit: 5, wait: 60, severity: "warning", sinks: ["stream"] } as const;
    const made = ruleOf("own_1", wanted);
    expect(made.id).toMatch(/^[a-z0-9_]{1,64}$/);
    expect(made.recovery).toBe(made.threshold);
    expect([made.window, made.missing_after, made.repeat ?? 60].every((seconds) => seconds >= 60)).toBe(true);
  }
});

test("an archive holds its files as they are, and its check sums are those of everybody", async () => {
  const bytes = new TextEncoder().encode("123456789");
  expect(crc32(bytes).toString(16)).toBe("cbf43926");
  const text = await zip(
    [
      { name: "a.csv", bytes },
      { name: "b.csv", bytes: bytes.slice(0, 3) },
    ],
    new Date(NOW),
  ).text();
  expect(text.startsWith("PK\u0003\u0004")).toBe(true);
  expect(text.match(/a\.csv/g)).toHaveLength(2);
  expect(text).toContain("b.csv123PK\u0001\u0002");
});

let controller = new AbortController();
beforeEach(() => (controller = new AbortController()));
afterEach(() => {
  controller.abort();
  vi.useRealTimers();
});

function follow(tell: (errors: readonly PageError[]) => Promise<void>): void {
  followPageErrors(tell, { page: () => "entries", version: () => "0.1.0" }, controller.signal);
}

function fail(error: unknown, message = ""): void {
  window.dispatchEvent(new ErrorEvent("error", { error, message }));
}

test("each kind of error of this page is told once, many together, and not without end", async () => {
  vi.useFakeTimers();
  const tell = vi.fn<DeskApi["tellErrors"]>(() => Promise.resolve());
  follow(tell);
  const broken = new TypeError("rows is undefined");
  for (let times = 0; times < 3; times += 1) fail(broken);
  fail(undefined, "ResizeObserver loop completed with undelivered notifications.");
  fail(new Unreachable("network"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(tell).toHaveBeenCalledOnce();
  expect(tell.mock.calls[0]?.[0]).toMatchObject([
    { error_type: "TypeError", message: "rows is undefined", context: { page: "entries", version: "0.1.0" } },
  ]);
  for (let kind = 0; kind < 50; kind += 1) fail(new Error(`kind ${String(kind)}`));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(tell.mock.calls.flatMap(([errors]) => errors)).toHaveLength(20);
});

test("an error that cannot be told is told later, and never tells of itself", async () => {
  vi.useFakeTimers();
  const tell = vi
    .fn<DeskApi["tellErrors"]>(() => Promise.resolve())
    .mockRejectedValueOnce(new ApiProblem(503, "busy", "", "later", NONE));
  follow(tell);
  fail(new Error("once"));
  await vi.advanceTimersByTimeAsync(61_000);
  expect(tell.mock.calls.map(([errors]) => errors.length)).toEqual([1, 1]);
  controller.abort();
  fail(new Error("after the end"));
  await vi.advanceTimersByTimeAsync(61_000);
  expect(tell).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});

const NONE = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
