import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { EntryPage } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { entry, show, version } from "../../testing/samples.ts";
import { entriesAddress } from "./address.ts";
import { Entries } from "./entries.svelte.ts";
import { cutAt, otherHit } from "./highlight.ts";
import { historyLines } from "./history.ts";

test("an older answer that comes late is dropped", async () => {
  const waiting: ((page: EntryPage) => void)[] = [];
  const api = fakeApi([], { entries: () => new Promise((resolve) => waiting.push(resolve)) });
  const entries = new Entries(new Desk(api));
  const [first, second] = [entries.load(), entries.load()];
  waiting[1]?.({ items: [entry()], total: 1 });
  waiting[0]?.({ items: [], total: 0 });
  await Promise.all([first, second]);
  expect(entries.total).toBe(1);
});

test("the hit is marked in any case", () => {
  expect(cutAt("Emma Lindqvist", "LIND")).toEqual({ before: "Emma ", hit: "Lind", after: "qvist" });
  expect(cutAt("1042", "")).toBeUndefined();
});

test("a row found by an old tag or its official number says so", () => {
  expect(otherHit(entry({ tag: "2210", prev_tags: ["1041"] }), "104")).toEqual({ kind: "oldTag", text: "1041" });
  expect(otherHit(entry({ tag: "0388", official_id: "840003100001047" }), "1047")).toEqual({
    kind: "official",
    text: "1047",
  });
  expect(otherHit(entry(), "104")).toBeUndefined();
});

test("a search has an address of its own", () => {
  expect(entriesAddress("", undefined)).toBe("#/entries");
  expect(entriesAddress(" 104 ", "a-1")).toBe("#/entries?q=104&animal=a-1");
});

test("history tells who saved what, newest first", () => {
  const items = [
    version(4, { tag: "1042", pen: null }, { deleted: false, reason: "Wrong pen" }),
    version(3, { tag: "1042", pen: "B2" }, { deleted: true }),
    version(2, { tag: "1042", pen: "B2", updated_at: "later" }),
    version(1, { tag: "1040", pen: "B2" }, { actor: { name: "Dan" }, device: { kind: "desk" } }),
  ];
  expect(historyLines(items, show).map((line) => [line.text, line.reason, line.fromPhone])).toEqual([
    ["Ana brought it back", "Wrong pen", true],
    ["Ana deleted it", undefined, true],
    ["Ana saved tag 1042", undefined, true],
    ["Dan added this entry", undefined, false],
  ]);
});
