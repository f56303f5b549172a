import { naturalId } from "@showdesk/sync/ids";
import { expect, test } from "vitest";

import type { Row, ShowRow } from "../../data/desk-api.ts";
import { show } from "../../testing/samples.ts";
import { addedOf, classesFor, exhibitorsFor, personText, takenAway, type Adding } from "./adding.ts";

const IDS = { exhibitor: "01990000-0000-7000-8000-0000000000e1", animal: "01990000-0000-7000-8000-0000000000a1" };
const row = (id: string, data: Row): ShowRow => ({ id, data });
const steers = row("01990000-0000-7000-8000-0000000000c1", {
  code: "101",
  name: "Market Steer",
  kind: "market",
  department: "cattle",
  status: "scheduled",
});
const hogs = row("c-2", { code: "9", name: "Market Hog", kind: "market", department: "swine", status: "scheduled" });
const parts = row("c-3", { ...steers.data, code: "101A", family_id: steers.id });
const over = row("c-4", { ...steers.data, code: "102", status: "official" });
const people = row("c-5", { code: "7", name: "Showmanship", kind: "showmanship", department: "cattle" });
const CLASSES = [steers, hogs, parts, over, people];

const emma = row("x-1", { first_name: "Emma", last_name: "Lindqvist", back_number: 176, club_chapter: "Oak Hill 4-H" });
const cole = row("x-2", { first_name: "Cole", last_name: "Emmons", back_number: 17 });
const gone = row("x-3", { first_name: "Emma", last_name: "Lindquist", merged_into: "x-1" });

const adding = (change: Partial<Adding> = {}): Adding => ({
  exhibitor: emma,
  person: { first_name: "", last_name: "", back_number: "", club_chapter: "" },
  animal: "new",
  typed: { species: "cattle", sex: "steer", breed: "Angus", tag: " b-12 ", official_id: "", name: "" },
  class: steers.id,
  ...change,
});
const of = (change: Partial<Adding> = {}, late = true) => addedOf(adding(change), IDS, CLASSES, { late, show });

test("only classes that people enter are offered, for the species or the person, and none it is in", () => {
  const ids = (found: ShowRow[]) => found.map(({ id }) => id);
  expect(ids(classesFor(CLASSES, "cattle"))).toEqual([steers.id]);
  expect(ids(classesFor(CLASSES, "swine"))).toEqual(["c-2"]);
  expect(ids(classesFor(CLASSES, undefined))).toEqual(["c-5"]);
  expect(ids(classesFor(CLASSES, "cattle", new Set([steers.id])))).toEqual([]);
});

test("an exhibitor is found by number, name or club, the number first, and not under a name that was joined", () => {
  const names = (query: string) => exhibitorsFor([cole, emma, gone], query).map(personText);
  expect(names("emm")).toEqual(["#17 Cole Emmons", "#176 Emma Lindqvist, Oak Hill 4-H"]);
  expect(names("17")[0]).toBe("#17 Cole Emmons");
  expect(names("#176 oak")).toEqual(["#176 Emma Lindqvist, Oak Hill 4-H"]);
  expect(names(" ")).toEqual([]);
});

test("a new animal and its entry are made together, each named once, and a late one says so", () => {
  const added = of();
  if (added.state !== "ready") throw new Error(JSON.stringify(added));
  expect(added).toMatchObject({ subject: "#B-12", inClass: "101 Market Steer" });
  expect(added.changes.map(({ table, id, data }) => [table, id, data])).toEqual([
    ["animals", IDS.animal, { exhibitor_id: "x-1", species: "cattle", sex: "steer", breed: "Angus", tag: "B-12" }],
    [
      "entries",
      naturalId(steers.id, IDS.animal),
      { exhibitor_id: "x-1", animal_id: IDS.animal, family_id: steers.id, is_addon: true },
    ],
  ]);
  const early = of({}, false);
  if (early.state !== "ready") throw new Error(JSON.stringify(early));
  expect(early.changes.at(-1)?.data).not.toHaveProperty("is_addon");
});

test("showmanship is entered by the person alone, who may be new", () => {
  const person = { first_name: "Ida", last_name: "Reyes", back_number: "412", club_chapter: "" };
  const added = of({ exhibitor: undefined, person, animal: "none", class: "01990000-0000-7000-8000-0000000000c1" });
  if (added.state !== "ready") throw new Error(JSON.stringify(added));
  expect(added.subject).toBe("Ida Reyes");
  expect(added.changes.map(({ table, data }) => [table, data])).toEqual([
    ["exhibitors", { first_name: "Ida", last_name: "Reyes", back_number: 412 }],
    ["entries", { exhibitor_id: IDS.exhibitor, family_id: steers.id, is_addon: true }],
  ]);
});

test("what is missing or does not fit is said at its field", () => {
  const person = { first_name: "Ida", last_name: " ", back_number: "none", club_chapter: "" };
  const typed = { ...adding().typed, species: "", tag: "x".repeat(21) };
  const added = of({ exhibitor: undefined, person, typed, class: "" });
  if (added.state !== "invalid") throw new Error("not expected");
  expect(Object.keys(added.faults).sort()).toEqual(["back_number", "class", "last_name", "species", "tag"]);
});

test("what was added is taken away from its end, on the versions that were written", () => {
  const added = of();
  if (added.state !== "ready") throw new Error("not expected");
  const away = takenAway(added.changes, [2, 1]);
  expect(away.map(({ table, operation, base_version }) => [table, operation, base_version])).toEqual([
    ["entries", "delete", 1],
    ["animals", "delete", 2],
  ]);
});
