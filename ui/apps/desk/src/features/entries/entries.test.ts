import { ROW_PX, rowsInSight } from "@showdesk/components";
import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, EntryFilter, EntryPage, EntryRow } from "../../data/desk-api.ts";
import { parseRoute } from "../../shell/route.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { entry } from "../../testing/samples.ts";
import { entriesAddress, listAddress, readAddress, WHOLE_LIST } from "./address.ts";
import { EntryList, PAGE_ROWS } from "./entries.svelte.ts";
import { cutAt, otherHit } from "./highlight.ts";
import { hitsText } from "./hits.ts";
import { pagesOf } from "./pages-of.ts";

/** A show of so many animals, numbered from 0. */
function barn(total: number, asked: number[] = []): Partial<DeskApi> {
  return {
    entries: (_query, offset, limit, filter: EntryFilter = {}) => {
      asked.push(offset);
      const length = Math.max(0, Math.min(limit, total - offset));
      const items = Array.from({ length }, (_, index): EntryRow => {
        const tag = String(offset + index);
        return entry({ animal_id: `a-${tag}`, tag });
      });
      return Promise.resolve({ items, total, ...(filter.rowsOnly ? {} : { counts: { all: total } }) });
    },
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

test("only what is looked at is asked for, and it stands where it belongs", async () => {
  const asked: number[] = [];
  const list = new EntryList(new Desk(fakeApi([], barn(21_000, asked))));
  list.show(WHOLE_LIST);
  await settled();
  expect(asked).toEqual([0]);
  list.see(rowsInSight(20_950 * ROW_PX, 600, list.total));
  await settled();
  expect(asked.slice(1)).toEqual([20_900]);
  expect(list.row(20_960)?.tag).toBe("20960");
  expect(list.row(5_000)).toBeUndefined();
  expect(list.indexOf("a-20960")).toBe(20_960);
});

test("a change in the show asks again for what is seen, and for the rest when it is seen", async () => {
  const asked: number[] = [];
  const list = new EntryList(new Desk(fakeApi([], barn(1_000, asked))));
  list.show(WHOLE_LIST);
  await settled();
  list.see({ first: 300, end: 320 });
  await settled();
  asked.length = 0;
  list.refresh();
  await settled();
  expect(asked).toEqual([300]);
  list.see({ first: 0, end: 20 });
  await settled();
  expect(asked).toEqual([300, 0]);
});

test("an answer for a list that is no longer shown is dropped", async () => {
  const waiting: ((page: EntryPage) => void)[] = [];
  const api = fakeApi([], { entries: () => new Promise((resolve) => waiting.push(resolve)) });
  const list = new EntryList(new Desk(api));
  list.show(WHOLE_LIST);
  list.show({ ...WHOLE_LIST, stage: "not_arrived" });
  waiting[1]?.({ items: [entry()], total: 1 });
  waiting[0]?.({ items: [], total: 0 });
  await settled();
  expect(list.total).toBe(1);
  expect(list.shown.stage).toBe("not_arrived");
});

test("a list that cannot be asked again keeps what it shows and recovers", async () => {
  let away = false;
  const good = barn(300);
  const api = fakeApi([], {
    entries: (...given) =>
      away ? Promise.reject(new Error("away")) : (good.entries?.(...given) ?? Promise.reject(new Error("none"))),
  });
  const list = new EntryList(new Desk(api));
  list.show(WHOLE_LIST);
  await settled();
  away = true;
  list.refresh();
  await settled();
  expect(list.error).toBeInstanceOf(Error);
  expect(list.row(3)?.tag).toBe("3");
  away = false;
  list.refresh();
  await settled();
  expect(list.error).toBeUndefined();
});

test("the rows in sight need the pages that hold them", () => {
  expect(pagesOf({ first: 95, end: 130 }, PAGE_ROWS)).toEqual([0, 1]);
  expect(pagesOf({ first: 5, end: 5 }, PAGE_ROWS)).toEqual([]);
});

test("the hit is marked in any case", () => {
  expect(cutAt("Emma Lindqvist", "LIND")).toEqual({ before: "Emma ", hit: "Lind", after: "qvist" });
  expect(cutAt("1042", "")).toBeUndefined();
});

test("a row found by an old tag or its official number says so", () => {
  expect(otherHit(entry({ tag: "2210", prev_tags: ["1041"] }), "104")).toEqual({ kind: "oldTag", text: "1041" });
  const official = (id: string) => otherHit(entry({ tag: "0388", official_id: id }), "104")?.text;
  expect(official("840003000006104")).toBe("840…6104");
  expect(official("840003000001047")).toBe("840…1047");
  expect(official("840003110400000")).toBe("840…1104…");
  expect(official("104000000000000")).toBe("104…");
  expect(otherHit(entry(), "104")).toBeUndefined();
});

test("what a search hit is counted in words", () => {
  expect(hitsText({ tag: 9, official_id: 2, old_tag: 1 })).toBe("9 by tag, 2 by 840 number, 1 by old tag");
  expect(hitsText({})).toBeUndefined();
  expect(hitsText(undefined)).toBeUndefined();
});

test("a list has an address of its own, and reads it back", () => {
  expect(entriesAddress("", undefined)).toBe("#/entries");
  expect(entriesAddress(" 104 ", "a-1")).toBe("#/entries/a-1?q=104");
  const view = {
    ...WHOLE_LIST,
    query: "hog",
    stage: "not_weighed" as const,
    sort: { by: "weight" as const, down: true },
  };
  expect(readAddress(parseRoute(listAddress(view, "a-1")))).toEqual({ view, animal: "a-1" });
  expect(readAddress(parseRoute("#/entries?animal=a-2")).animal).toBe("a-2");
  expect(readAddress(parseRoute("#/entries?stage=nonsense&sort=nonsense")).view).toEqual(WHOLE_LIST);
});
