import { expect, test } from "vitest";

import { lastKnown, moved, nearestStep, parsePoints, rowAt, saidAt, type Points } from "./read-out.ts";

const points: Points = {
  plot: [44, 60, 300, 120],
  x: [94, 194, 294],
  times: ["9:35", "9:40", "9:45"],
  series: [
    { name: "p95", colour: "--p95", values: ["180 ms", "560 ms", null], y: [140, 80, null] },
    { name: "Errors", colour: "--err", values: ["0", "14", null], y: [] },
  ],
};

test("a drawing tells its points, and one that does not is only looked at", () => {
  const columns = { ...points.series[1], y: undefined };
  const text = JSON.stringify({ ...points, series: [points.series[0], columns] });
  expect(parsePoints(text)).toEqual(points);
  for (const broken of [null, "", "{", "{}", JSON.stringify({ ...points, times: [] }), '{"plot":[1,2]}']) {
    expect(parsePoints(broken)).toBeUndefined();
  }
});

test.each([
  [0, 0],
  [143, 0],
  [145, 1],
  [243, 1],
  [900, 2],
])("%d px across is step %d", (x, step) => {
  expect(nearestStep(points, x)).toBe(step);
});

test("the only step is always the nearest", () => {
  expect(nearestStep({ x: [200] }, 10)).toBe(0);
});

test("a height is a line of the heat map, also at and beyond its edges", () => {
  expect([0, 60, 119, 121, 180, 999].map((y) => rowAt(points, y))).toEqual([0, 0, 0, 1, 1, 1]);
});

test("keys step through the values and stay inside; in a heat map up and down change the line", () => {
  const from = { step: 1, row: 0 };
  const to = (key: string, isHeat = false) => moved(points, from, key, isHeat);
  expect([to("ArrowLeft"), to("ArrowRight"), to("Home"), to("End")].map((place) => place?.step)).toEqual([0, 2, 0, 2]);
  expect(moved(points, { step: 2, row: 0 }, "ArrowRight", false)).toEqual({ step: 2, row: 0 });
  expect(to("ArrowDown", true)).toEqual({ step: 1, row: 1 });
  expect(to("ArrowUp", true)).toEqual({ step: 1, row: 0 });
  expect(to("ArrowUp")?.step).toBe(2);
  expect(to("a")).toBeUndefined();
});

test("all series of a step are said, of a heat map the line alone; nothing measured is nothing said", () => {
  expect(saidAt(points, { step: 1, row: 0 }, false)).toEqual([
    { name: "p95", colour: "--p95", value: "560 ms", y: 80 },
    { name: "Errors", colour: "--err", value: "14", y: undefined },
  ]);
  expect(saidAt(points, { step: 1, row: 1 }, true).map(({ name }) => name)).toEqual(["Errors"]);
  expect(saidAt(points, { step: 2, row: 0 }, false).map(({ value }) => value)).toEqual([undefined, undefined]);
  expect(lastKnown(points)).toBe(1);
});
