import { expect, test } from "vitest";

import type { Activity, ActivityPage } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { Feed } from "./feed.svelte.ts";

/** Changes with these numbers, newest first. */
function page(from: number, to: number, next?: number): ActivityPage {
  const item = (seq: number): Activity => ({
    seq,
    at: "2026-08-14T14:41:00.000Z",
    who: "Ana",
    device: null,
    table_name: "animals",
    record_id: `a-${String(seq)}`,
    what: "changed",
    fields: [],
    subject: null,
  });
  return { items: Array.from({ length: from - to + 1 }, (_, index) => item(from - index)), next };
}

test("older pages go below, and the end is known", async () => {
  const pages = new Map([
    [undefined, page(9, 7, 7)],
    [7, page(6, 4)],
  ]);
  const feed = new Feed(fakeApi([], { activity: (before) => Promise.resolve(pages.get(before) ?? page(0, 0)) }));
  await feed.newest();
  expect(feed.hasMore).toBe(true);
  await feed.older();
  expect(feed.items.map((item) => item.seq)).toEqual([9, 8, 7, 6, 5, 4]);
  expect(feed.hasMore).toBe(false);
});

test("what came since goes on top without loading the rest again", async () => {
  const answers = [page(9, 7, 7), page(6, 4), page(11, 9, 9)];
  const feed = new Feed(fakeApi([], { activity: () => Promise.resolve(answers.shift() ?? page(0, 0)) }));
  await feed.newest();
  await feed.older();
  await feed.newest();
  expect(feed.items.map((item) => item.seq)).toEqual([11, 10, 9, 8, 7, 6, 5, 4]);
  expect(feed.hasMore).toBe(false);
});

test("so much that a gap is left begins the list anew", async () => {
  const answers = [page(9, 7, 7), page(50, 48, 48)];
  const feed = new Feed(fakeApi([], { activity: () => Promise.resolve(answers.shift() ?? page(0, 0)) }));
  await feed.newest();
  await feed.newest();
  expect(feed.items.map((item) => item.seq)).toEqual([50, 49, 48]);
  expect(feed.hasMore).toBe(true);
});

test("a failure keeps what is shown", async () => {
  let away = false;
  const feed = new Feed(
    fakeApi([], { activity: () => (away ? Promise.reject(new Error("away")) : Promise.resolve(page(3, 1))) }),
  );
  await feed.newest();
  away = true;
  await feed.newest();
  expect(feed.items).toHaveLength(3);
  expect(feed.error).toBeInstanceOf(Error);
});
