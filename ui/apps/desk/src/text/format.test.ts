import { expect, test } from "vitest";

import { show } from "../testing/samples.ts";
import { date, duration, gain, moment, parseWeight, value, weight, weightDelta } from "./format.ts";

test("a weight always has its unit, and a decimal only where it counts", () => {
  expect(weight(6120, "lb")).toBe("612 lb");
  expect(weight(6125, "kg")).toBe("612.5 kg");
  expect(weight(12620, "lb")).toBe("1,262 lb");
});

test("a difference has its sign", () => {
  expect(weightDelta(5980, 6210)).toBe("+23");
  expect(weightDelta(5980, 5975)).toBe("−0.5");
});

test.each([
  ["612", 6120],
  ["612.5", 6125],
  ["612,5", 6125],
  [" 612 lb ", 6120],
  ["0", undefined],
  ["612.55", undefined],
  ["six", undefined],
  ["", undefined],
])("%j typed as a weight is %j tenths", (text, x10) => {
  expect(parseWeight(text)).toBe(x10);
});

test("moments are in the show's time zone, not the computer's", () => {
  expect(moment("2026-08-14T14:41:00.000Z", show)).toBe("9:41");
  expect(moment("2026-08-14T18:30:00.000Z", show)).toBe("1:30 pm");
  expect(moment("2026-08-14T17:05:00.000Z", show)).toBe("12:05 pm");
  expect(moment("2026-08-14T05:05:00.000Z", show)).toBe("12:05 am");
});

test("another day is named", () => {
  expect(moment("2026-08-13T14:41:00.000Z", show)).toBe("Thu 9:41");
  expect(moment("2026-03-02T15:41:00.000Z", show)).toBe("2 Mar 9:41");
});

test("an unknown time zone does not take the page down", () => {
  expect(moment("2026-08-14T14:41:00.000Z", { ...show, timezone: "Mars/Olympus" })).toBe("2:41 pm");
});

test.each([
  [4_000, "4 s"],
  [29 * 60_000, "29 min"],
  [60 * 60_000, "1 h"],
  [70 * 60_000, "1 h 10 min"],
  [72 * 3_600_000, "3 days"],
])("%d ms is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("values read as words", () => {
  expect(value("tag", null, show)).toBe("None");
  expect(value("out_reason", "no_show", show)).toBe("No-show");
  expect(value("is_addon", true, show)).toBe("Yes");
  expect(value("prev_tags", ["0411", "0412"], show)).toBe("0411, 0412");
  expect(value("arrived_by", "p-1", { ...show, names: { "p-1": "Ana" } })).toBe("Ana");
  expect(value("init_weight_x10", 6120, show)).toBe("612 lb");
  expect(date("2026-03-28")).toBe("28 Mar 2026");
  expect(gain(1618, "lb")).toBe("1.62 lb a day");
});
