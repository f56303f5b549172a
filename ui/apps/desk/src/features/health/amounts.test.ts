import { expect, test } from "vitest";

import type { LimitUnit } from "../../data/desk-api.ts";
import { limitText, megabytes, millisecondsText, readLimit, readTime, timeText } from "./amounts.ts";

const MIB = 1024 ** 2;

test.each([
  ["500 ms", "milliseconds", 500],
  ["750", "milliseconds", 750],
  ["1.5 s", "milliseconds", 1500],
  ["1,500", "milliseconds", 1500],
  ["15 min", "seconds", 900],
  ["15", "seconds", 900],
  ["2 hours", "seconds", 7200],
  ["1,5 h", "seconds", 5400],
  ["7 %", "percent", 7],
  ["7.5", "percent", 7.5],
  ["2 GB", "bytes", 2048 * MIB],
  ["300", "bytes", 300 * 1024 * MIB],
  ["300 mb", "bytes", 300 * MIB],
  ["1,204", "count", 1204],
] as const)("%s as a limit in %s is %d", (typed, unit, value) => {
  const before = { milliseconds: "500 ms", seconds: "10 min", percent: "5 %", bytes: "2 GB", count: "20" }[unit];
  expect(readLimit(typed, unit, before)).toEqual({ value });
});

test.each([
  ["", "seconds"],
  ["ten minutes", "seconds"],
  ["10 ms", "seconds"],
  ["8 d", "seconds"],
  ["-5 min", "seconds"],
  ["101 %", "percent"],
  ["5 ms", "percent"],
  ["2 km", "bytes"],
  ["20 ms", "count"],
  ["99999999999", "count"],
] as const)("%j is no limit in %s, and that is said", (typed, unit: LimitUnit) => {
  expect(readLimit(typed, unit, "")).toHaveProperty("fault", expect.stringMatching(/^(Type|That)/));
});

test("a wait may be nothing, a repeat may not", () => {
  expect(readTime("0 s", "5 min", 0)).toEqual({ value: 0 });
  expect(readTime("0 s", "5 min", 60)).toEqual({ fault: "Type a time of at least 1 s." });
});

test("amounts are said in the units of people", () => {
  expect([45, 600, 5400, 7200].map(timeText)).toEqual(["45 s", "10 min", "90 min", "2 h"]);
  expect(limitText(1.5 * 1024 * MIB, "bytes")).toBe("1.5 GB");
  expect(limitText(5, "percent")).toBe("5 %");
  expect([0.3, 620.4, 1240, 12_400].map(millisecondsText)).toEqual(["< 1 ms", "620 ms", "1,240 ms", "12.4 s"]);
  expect([0, 20_000, 3.25 * MIB, 41.2 * MIB].map(megabytes)).toEqual(["0", "0.1", "3.3", "41"]);
});
