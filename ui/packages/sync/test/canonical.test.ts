import { expect, test } from "vitest";

import vectors from "../../../../tests/vectors/payload_hash.json" with { type: "json" };
import { canonicalJson, checksum, payloadHash } from "../src/canonical.ts";
import { sha256 } from "../src/sha256.ts";

const CONTENT = "table_name record_id operation base_version prev_op_id txn data base reason".split(" ");
const bytes = (text: string) => new TextEncoder().encode(text);

test.each(vectors.cases)("payload hash: $about", ({ op, canonical, sha256: hash }) => {
  const values: Record<string, unknown> = op;
  expect(canonicalJson(Object.fromEntries(CONTENT.map((name) => [name, values[name] ?? null])))).toBe(canonical);
  expect(payloadHash(values)).toBe(hash);
});

test("the vectors hold ops of equal and of different content", () => {
  expect(vectors.cases.length).toBeGreaterThan(10);
  expect(new Set(vectors.cases.map((one) => one.sha256)).size).toBe(vectors.cases.length - 2);
});

test.each([
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["a".repeat(55), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"],
  ["a".repeat(56), "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"],
  ["a".repeat(63), "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"],
  ["a".repeat(64), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"],
  ["a".repeat(1_000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"],
])("sha256 of %j is the published one", (text, digest) => {
  expect(sha256(bytes(text))).toBe(digest);
});

test("one change of content changes the hash, and the order of keys does not", () => {
  expect(checksum({ a: 1, b: 2 })).toBe(checksum({ b: 2, a: 1 }));
  expect(checksum({ a: 1, b: 2 })).not.toBe(checksum({ a: 1, b: 3 }));
});

test.each([[Number.NaN], [Number.POSITIVE_INFINITY], ["half \ud83d"], [{ "\udc02": 1 }], [[() => 1]]])(
  "%s has no canonical form",
  (value) => {
    expect(() => canonicalJson(value)).toThrow();
  },
);
