import { beforeEach, expect, test, vi } from "vitest";

import type { Change, DeskApi } from "../../data/desk-api.ts";
import { Desk } from "../../data/desk.svelte.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { overview } from "../../testing/samples.ts";
import { FirstRun, isFirstRun } from "./first-run.svelte.ts";

beforeEach(() => localStorage.clear());

const nobody = { animals: 0, entries: 0, exhibitors: 0 };
const fresh = overview({
  ...nobody,
  first_run: true,
  person: { id: "p-1", name: "Desk" },
  show: { id: "s-1", version: 3, name: "New show", weight_unit: "lb", timezone: "America/Chicago" },
});

async function firstRun(change: Partial<DeskApi> = {}): Promise<FirstRun> {
  const desk = new Desk(fakeApi([], { overview: () => Promise.resolve(fresh), ...change }));
  await desk.overview.refresh();
  return new FirstRun(desk, fresh);
}

test("an empty folder asks, a show that is there does not", () => {
  expect(isFirstRun(fresh)).toBe(true);
  expect(isFirstRun(overview())).toBe(false);
});

test("left after the show was named, it goes on at the last step; finished, it never comes again", async () => {
  const named = overview({ ...nobody, first_run: false });
  expect(isFirstRun(named)).toBe(false);
  const run = await firstRun({ write: () => Promise.resolve({ verdict: "saved", version: 4 }) });
  run.name = "Cedar County Fair";
  await run.keepShow();
  expect(run.step).toBe("begin");
  expect(isFirstRun(named)).toBe(true);
  expect((await firstRun()).step).toBe("begin");
  run.finish();
  expect(isFirstRun(named)).toBe(false);
  expect(isFirstRun(fresh)).toBe(false);
});

test("the desk's own word for nobody is not offered as a name, and a name is wanted", async () => {
  const setPerson = vi.fn(() => Promise.resolve());
  const run = await firstRun({ setPerson });
  expect(run.person).toBe("");
  await run.keepName();
  expect(run.problem).toBe("Type your name.");
  run.person = " Dan ";
  await run.keepName();
  expect(setPerson).toHaveBeenCalledWith("Dan");
  expect(run.step).toBe("show");
});

test("only what the person changed is written, on the row that was read", async () => {
  const written: Change[] = [];
  const run = await firstRun({
    write: (change) => {
      written.push(change);
      return Promise.resolve({ verdict: "saved", version: 4 });
    },
  });
  run.name = "Cedar County Fair";
  run.startsOn = "2026-08-13";
  await run.keepShow();
  expect(written[0]).toMatchObject({
    table: "shows",
    id: "s-1",
    base_version: 3,
    data: { name: "Cedar County Fair", starts_on: "2026-08-13", ends_on: "2026-08-13" },
    base: { name: "New show", starts_on: null, ends_on: null },
  });
  expect(Object.keys(written[0]?.data ?? {})).toHaveLength(3);
});

test("a show needs a name, and does not end before it begins", async () => {
  const run = await firstRun();
  await run.keepShow();
  expect(run.problem).toBe("Type the name of the show.");
  Object.assign(run, { name: "Fair", startsOn: "2026-08-14", endsOn: "2026-08-13" });
  await run.keepShow();
  expect(run.problem).toBe("The last day is before the first.");
  expect(run.step).toBe("name");
});

test("what the desk refuses keeps the step and is told", async () => {
  const error = { code: "locked", detail: "the unit can no longer change" };
  const run = await firstRun({ write: () => Promise.resolve({ verdict: "refused", error }) });
  run.name = "Fair";
  await run.keepShow();
  expect(run.problem).toBe("The unit can no longer change.");
  expect(run.step).toBe("name");
});

test("a made-up fair ends the questions; if it fails they stay", async () => {
  const failing = await firstRun({ fillDemo: () => Promise.reject(new Error("away")) });
  expect(await failing.tryDemo("county")).toBe(false);
  expect(failing.problem).toBeDefined();
  expect(isFirstRun(fresh)).toBe(true);
  const fillDemo = vi.fn(() => Promise.resolve());
  const run = await firstRun({ fillDemo });
  expect(await run.tryDemo("county")).toBe(true);
  expect(fillDemo).toHaveBeenCalledWith("county");
  expect(isFirstRun(fresh)).toBe(false);
});
