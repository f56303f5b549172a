import { Unreachable } from "@showdesk/api";
import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { Change, DeskApi, Row, Written } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { overview } from "../../testing/samples.ts";
import { parseCount, parseTenths } from "./amount.ts";
import { ShowSettings } from "./settings.svelte.ts";
import { stepBetween } from "./steps.ts";
import { zoneGroups } from "./zones.ts";

/** A show whose row changes as it is written. */
async function settings(show: Row = {}, write?: DeskApi["write"]) {
  let row: Row = { ...overview().show, id: "s-1", version: 2, stage: "B", rules: { class_cap: 20 }, ...show };
  const written: Change[] = [];
  const api = fakeApi([], {
    overview: () => Promise.resolve(overview({ show: row })),
    write: (change) => {
      written.push(change);
      if (write !== undefined) return write(change);
      const rules = { ...(row["rules"] as Row), ...(change.data["rules"] as Row | undefined) };
      row = { ...row, ...change.data, rules, version: Number(row["version"]) + 1 };
      return Promise.resolve<Written>({ verdict: "saved", version: Number(row["version"]) });
    },
  });
  const desk = new Desk(api);
  await desk.overview.refresh();
  return { desk, settings: new ShowSettings(desk), written };
}

const says = () => "Most animals in a class: 22 animals.";
const cap = (value: number | null) => ({ values: { "rules.class_cap": value }, says });

test("one rule is written by itself, on what the page showed", async () => {
  const { settings: show, written } = await settings();
  expect(await show.save(cap(22))).toBe(true);
  expect(written[0]).toMatchObject({
    table: "shows",
    id: "s-1",
    operation: "update",
    base_version: 2,
    data: { rules: { class_cap: 22 } },
    base: { rules: { class_cap: 20 } },
  });
  expect(show.number("rules.class_cap")).toBe(22);
  expect(show.outcome("rules.class_cap")).toEqual({ is: "saved" });
});

test("two quick changes follow each other, each on the version that the other left", async () => {
  const { settings: show, written } = await settings();
  await Promise.all([show.save(cap(22)), show.save({ values: { name: "Oak Hill Fair" }, says })]);
  expect(written.map((change) => change.base_version)).toEqual([2, 3]);
});

test("the wanted value is shown while it is on its way", async () => {
  let let_go: (written: Written) => void = () => undefined;
  const { settings: show } = await settings({}, () => new Promise((resolve) => (let_go = resolve)));
  const saved = show.save(cap(22));
  expect(show.number("rules.class_cap")).toBe(22);
  expect(show.outcome("rules.class_cap")).toEqual({ is: "saving" });
  await Promise.resolve();
  let_go({ verdict: "refused", error: { code: "locked", detail: "this cannot be changed in stage E of the show" } });
  expect(await saved).toBe(false);
});

test("undo writes the old value back, and a blank one as blank", async () => {
  const { desk, settings: show, written } = await settings({ rules: {} });
  await show.save(cap(22));
  expect(desk.toasts.current?.text).toBe("Most animals in a class: 22 animals.");
  desk.toasts.act();
  await expect.poll(() => written.length).toBe(2);
  expect(written[1]?.data).toEqual({ rules: { class_cap: null } });
});

test("going on to a stage is taken back with a reason, as the rules ask", async () => {
  const { desk, settings: show, written } = await settings();
  await show.save({ values: { stage: "C" }, says, undoReason: "Taken back" });
  expect(written[0]?.reason).toBeUndefined();
  desk.toasts.act();
  await expect.poll(() => written.length).toBe(2);
  expect(written[1]).toMatchObject({ data: { stage: "B" }, reason: "Taken back" });
});

test("a refusal says why in words and shows what stands", async () => {
  const error = { code: "locked", detail: "this cannot be changed in stage E of the show" };
  const { settings: show } = await settings({}, () => Promise.resolve({ verdict: "refused", error }));
  expect(await show.save(cap(22))).toBe(false);
  expect(show.outcome("rules.class_cap")).toMatchObject({
    is: "refused",
    text: "Not saved. This cannot be changed in stage E of the show.",
  });
  expect(show.number("rules.class_cap")).toBe(20);
});

test("a clash leads to the decision", async () => {
  const { settings: show } = await settings({}, () => Promise.resolve({ verdict: "waits", conflict_id: "c-9" }));
  expect(await show.save({ values: { weight_unit: "kg" }, says })).toBe(false);
  expect(show.outcome("weight_unit")).toEqual({ is: "waits", conflict: "c-9" });
});

test("a value that somebody else's overruled is not called saved", async () => {
  const { settings: show } = await settings({}, () => Promise.resolve({ verdict: "saved", version: 4 }));
  expect(await show.save({ values: { stage: "C" }, says })).toBe(false);
  expect(show.outcome("stage")).toMatchObject({ is: "refused", text: /Theirs stands/ });
});

test("without an answer nothing is claimed, and the same try is sent again", async () => {
  const { settings: show, written } = await settings({}, () => Promise.reject(new Unreachable("network")));
  expect(await show.save(cap(22))).toBe(false);
  const outcome = show.outcome("rules.class_cap");
  expect(outcome).toMatchObject({ is: "refused", text: /not known whether this was saved/ });
  expect(show.number("rules.class_cap")).toBe(22);
  if (outcome?.is === "refused") outcome.retry?.();
  await expect.poll(() => written.length).toBe(2);
  expect(written[1]?.op_id).toBe(written[0]?.op_id);
});

test("weights are typed in the show's unit, with one digit behind the point", () => {
  expect(["5", "5.5", "5,5 lb", "0", ""].map(parseTenths)).toEqual([50, 55, 55, 0, null]);
  expect(["5.55", "-1", "many", "99999"].map(parseTenths)).toEqual([undefined, undefined, undefined, undefined]);
});

test("numbers of animals are whole, from 1 to 500", () => {
  expect(["22", " 500 ", ""].map(parseCount)).toEqual([22, 500, null]);
  expect(["0", "501", "2.5", "x"].map(parseCount)).toEqual([undefined, undefined, undefined, undefined]);
});

test("what a step closes, the way back opens", () => {
  const [on, back] = [stepBetween("B", "C", true), stepBetween("C", "B", true)];
  expect(on.closes.map((right) => right.who)).toContain("Scale");
  expect(back.opens).toEqual(on.closes);
  expect(back.closes).toEqual(on.opens);
});

test("once animals are weighed, no stage opens the unit again", () => {
  const unit = { who: "Office", what: "changes the weight unit" };
  expect(stepBetween("B", "A", false).opens).toContainEqual(unit);
  expect(stepBetween("B", "A", true).opens).not.toContainEqual(unit);
});

test("a time zone that this computer does not list can still be shown", () => {
  const groups = zoneGroups("Etc/Unheard_Of");
  expect(groups.flatMap((group) => group.items)).toContainEqual({ value: "Etc/Unheard_Of", label: "Unheard Of" });
  const america = groups.find((group) => group.group === "America");
  expect(america?.items).toContainEqual({ value: "America/Indiana/Knox", label: "Knox, Indiana" });
});
