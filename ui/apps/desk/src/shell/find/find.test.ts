import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { EntryPage } from "../../data/desk-api.ts";
import { entriesAddress } from "../../features/entries/address.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { entry } from "../../testing/samples.ts";
import { Find, TYPING_MS } from "./find.svelte.ts";
import { foundIn } from "./results.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const animal = (tag: string, change: Parameters<typeof entry>[0] = {}) =>
  entry({ animal_id: `a-${tag}`, tag, official_id: null, back_number: 900, exhibitor: "Nora Stroud", ...change });

test("the whole tag comes first, then its end, then any part, then the other numbers", () => {
  const page = {
    items: [
      animal("1040"),
      animal("2104", { prev_tags: [] }),
      animal("3307", { official_id: "840003100000104" }),
      animal("2210", { prev_tags: ["1041"] }),
      animal("104"),
    ],
    total: 5,
  };
  const { hits } = foundIn(page, "104");
  expect(hits.filter((hit) => hit.kind === "animal").map((hit) => [hit.title, hit.reason])).toEqual([
    ["#104", ""],
    ["#2104", ""],
    ["#1040", ""],
    ["#2210", "was 1041"],
    ["#3307", "840…0104"],
  ]);
  expect(hits.at(-1)).toMatchObject({ kind: "all", title: "Show all 5 in Entries", href: "#/entries?q=104" });
});

test("exhibitors and classes that match are found beside the animals", () => {
  const page = { items: [animal("1", { back_number: 176 }), animal("2", { back_number: 176 })], total: 2 };
  expect(foundIn(page, "176").hits.find((hit) => hit.kind === "exhibitor")).toMatchObject({
    title: "Nora Stroud",
    reason: "Exhibitor 176",
    note: "Oak Hill 4-H · 2 animals",
  });
  expect(foundIn(page, "prospect").hits.find((hit) => hit.kind === "class")).toMatchObject({
    title: "Prospect Steer",
    href: "#/entries?q=Prospect+Steer",
  });
});

test("a count from a part of the answer is not told", () => {
  const { hits } = foundIn({ items: [animal("1")], total: 400 }, "prospect");
  expect(hits.find((hit) => hit.kind === "class")?.note).toBe("");
});

test("Enter waits for the answer to what was typed last", async () => {
  const asked: string[] = [];
  const find = new Find(
    fakeApi([], {
      entries: (query) => {
        asked.push(query);
        return Promise.resolve({ items: [animal(query)], total: 1 });
      },
    }),
  );
  find.type("10");
  find.type("104");
  const entered = find.enter();
  await vi.advanceTimersByTimeAsync(TYPING_MS);
  expect(await entered).toBe(entriesAddress("104", "a-104"));
  expect(asked).toEqual(["104"]);
});

test("an answer that comes late does not replace a newer one", async () => {
  const answers: ((page: EntryPage) => void)[] = [];
  const find = new Find(fakeApi([], { entries: () => new Promise((resolve) => answers.push(resolve)) }));
  find.type("1");
  await vi.advanceTimersByTimeAsync(TYPING_MS);
  find.type("12");
  await vi.advanceTimersByTimeAsync(TYPING_MS);
  answers[1]?.({ items: [animal("12")], total: 1 });
  answers[0]?.({ items: [animal("1")], total: 1 });
  await vi.advanceTimersByTimeAsync(0);
  expect(find.found?.query).toBe("12");
});

test("arrows go round, and clearing closes", async () => {
  const page = { items: [animal("1"), animal("2")], total: 2 };
  const find = new Find(fakeApi([], { entries: () => Promise.resolve(page) }));
  find.type("stroud");
  await vi.advanceTimersByTimeAsync(TYPING_MS);
  find.move(-1);
  expect(find.chosen?.kind).toBe("all");
  find.move(1);
  expect(find.chosen?.title).toBe("#1");
  find.clear();
  expect(find.open).toBe(false);
  expect(find.found).toBeUndefined();
});

test("a search without an answer says so and finds nothing", async () => {
  const find = new Find(fakeApi([], { entries: () => Promise.reject(new Error("away")) }));
  find.type("1");
  await vi.advanceTimersByTimeAsync(TYPING_MS);
  expect(find.failed).toBe(true);
  expect(await find.enter()).toBeUndefined();
});
