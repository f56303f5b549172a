import { backoffMs } from "@showdesk/api";
import { expect, test } from "vitest";

import vectors from "../../../../tests/vectors/backoff.json" with { type: "json" };
import { failureOf, leftMs, resendAtMs, TICK_MS, waitMs, WAIT_MAX_MS } from "../src/retry.ts";

test("the vectors are about this phone's longest wait", () => {
  expect(vectors.longest_ms).toBe(WAIT_MAX_MS);
  expect(vectors.cases.length).toBeGreaterThan(100);
});

test.each(vectors.cases.filter((one) => one.asked_ms === null))(
  "$failures failures, up to $most_ms ms, drawn $random: $wait_ms ms",
  ({ failures, first_ms, most_ms, random, wait_ms }) => {
    expect(backoffMs(failures, { firstMs: first_ms, mostMs: most_ms }, () => random)).toBe(wait_ms);
  },
);

test.each(vectors.cases.filter((one) => one.asked_ms !== null && one.most_ms === TICK_MS))(
  "after $failures failures and asked to wait $asked_ms ms, drawn $random: $wait_ms ms",
  ({ failures, random, asked_ms, wait_ms }) => {
    expect(waitMs(failures, asked_ms, () => random)).toBe(wait_ms);
  },
);

test("a hundred phones that lost the desk at once do not come back at once", () => {
  const waits = Array.from({ length: 100 }, (_, i) => waitMs(5, null, () => i / 100));
  expect(new Set(waits).size).toBe(100);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(TICK_MS * 0.9);
});

test("a wait that ends further away than any wait is long is a clock that was set back", () => {
  expect(leftMs(1_000, 400)).toBe(600);
  expect(leftMs(1_000, 1_000)).toBe(0);
  expect(leftMs(400, 1_000)).toBe(0);
  expect(leftMs(10_000 + WAIT_MAX_MS, 10_000)).toBe(WAIT_MAX_MS);
  expect(leftMs(10_001 + WAIT_MAX_MS, 10_000)).toBe(0);
});

test("an entry is sent again at least as late as the desk asked, and not never", () => {
  const at = (attempts: number, askedMs: number, random: number) =>
    resendAtMs(attempts, askedMs, { nowMs: 0, random: () => random });
  expect(at(1, 2_000, 0)).toBe(2_000);
  expect(at(1, 2_000, 1)).toBe(3_000);
  expect(at(50, 0, 1)).toBe(60_000);
  expect(at(1, -5_000, 0)).toBe(0);
  expect(at(1, Number.MAX_SAFE_INTEGER, 1)).toBe(WAIT_MAX_MS);
});

test("what should not happen keeps its name", () => {
  expect(failureOf(new RangeError("odd"))).toEqual({ kind: "trouble", code: "RangeError", detail: "odd" });
});
