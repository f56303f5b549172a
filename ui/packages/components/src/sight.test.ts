import { expect, test } from "vitest";

import { ROW_PX, rowAfterKey, rowsInSight, scrolledTo } from "./sight.ts";

test("the rows in sight follow the scroll position", () => {
  expect(rowsInSight(0, 360, 21_000)).toEqual({ first: 0, end: 22 });
  expect(rowsInSight(1_000 * ROW_PX, 360, 21_000)).toEqual({ first: 988, end: 1_022 });
  expect(rowsInSight(1_000 * ROW_PX, 360, 5)).toEqual({ first: 5, end: 5 });
});

test("keys lead to the next row, by a page, and to both ends", () => {
  const go = (key: string, row: number | undefined) => rowAfterKey(key, row, 10 * ROW_PX, 100);
  expect(go("ArrowDown", undefined)).toBe(0);
  expect(go("ArrowDown", 4)).toBe(5);
  expect(go("ArrowUp", 0)).toBe(0);
  expect(go("PageDown", 4)).toBe(13);
  expect(go("End", undefined)).toBe(99);
  expect(go("Home", 50)).toBe(0);
  expect(go("a", 4)).toBeUndefined();
  expect(rowAfterKey("ArrowDown", undefined, 360, 0)).toBeUndefined();
  expect(scrolledTo(20, 0, 10 * ROW_PX)).toBe(11 * ROW_PX);
  expect(scrolledTo(5, 0, 10 * ROW_PX)).toBe(0);
  expect(scrolledTo(5, 8 * ROW_PX, 10 * ROW_PX)).toBe(5 * ROW_PX);
});
