import { expect, test } from "vitest";

import vectors from "../../../../tests/vectors/natural-ids.json" with { type: "json" };
import { naturalId, newId } from "../src/ids.ts";
import { sha1 } from "../src/sha1.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

test.each(vectors.cases)("v5($namespace, $name) is the desk's", ({ namespace, name, id }) => {
  expect(naturalId(namespace, name)).toBe(id);
});

test("a namespace that is not a lower-case id is refused", () => {
  expect(() => naturalId("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "a")).toThrow(RangeError);
});

test.each([
  ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["a".repeat(64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"],
  ["a".repeat(119), "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"],
])("sha1 of %j is the published one", (text, digest) => {
  expect(hex(sha1(new TextEncoder().encode(text)))).toBe(digest);
});

test("new ids are version 7, of the right form, and sorted by their time", () => {
  const early = newId(1_700_000_000_000);
  const late = newId(1_700_000_000_001);
  expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(early < late).toBe(true);
  expect(Number.parseInt(early.replaceAll("-", "").slice(0, 12), 16)).toBe(1_700_000_000_000);
});

test("ids of one moment differ", () => {
  expect(new Set(Array.from({ length: 500 }, () => newId(1))).size).toBe(500);
});
