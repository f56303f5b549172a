import { expect, test } from "vitest";

import { conflict, refused } from "../../testing/samples.ts";
import { EVERYTHING, filterChoices, filtersSet, isWanted, isWantedItem, typeOf } from "./filter.ts";

const weight = conflict({
  class: { id: "k-6", code: "6", name: "Market Steer", ring: "Ring 2", planned_at: null, status: "scheduled" },
});

test.each([
  [conflict(), "weight"],
  [conflict({ kind: "rule", rule: "C1", contested: ["official_weight_x10"] }), "weight"],
  [conflict({ contested: ["pen"] }), "value"],
  [conflict({ kind: "unique_violation", contested: ["tag"] }), "twice"],
  [conflict({ kind: "insert_insert" }), "twice"],
  [conflict({ kind: "update_deleted" }), "gone"],
  [conflict({ kind: "missing_reference" }), "gone"],
  [conflict({ kind: "restored_server" }), "restored"],
  [conflict({ kind: "rule", rule: "C7" }), "result"],
])("a clash is of one type", (view, type) => {
  expect(typeOf(view)).toBe(type);
});

test.each([
  ["1042", true],
  ["#1042", true],
  ["angus emma", true],
  ["maria", true],
  ["market", true],
  ["angus joel", false],
])("searching for %j", (text, expected) => {
  expect(isWanted(weight, { ...EVERYTHING, text })).toBe(expected);
});

test("class, phone, person and type narrow the list", () => {
  for (const wanted of [{ class: "k-6" }, { phone: "d-maria" }, { person: "p-dan" }, { type: "weight" as const }]) {
    expect(isWanted(weight, { ...EVERYTHING, ...wanted })).toBe(true);
  }
  for (const wanted of [{ class: "k-7" }, { phone: "d-ana" }, { person: "p-ana" }, { type: "gone" as const }]) {
    expect(isWanted(weight, { ...EVERYTHING, ...wanted })).toBe(false);
  }
});

test("only what is listed can be chosen", () => {
  expect(filterChoices([weight])).toEqual({
    types: [{ value: "weight", label: "Weights" }],
    classes: [{ value: "k-6", label: "Class 6, Market Steer" }],
    phones: [{ value: "d-maria", label: "Maria’s phone" }],
    people: [
      { value: "p-dan", label: "Dan" },
      { value: "p-maria", label: "Maria" },
    ],
  });
});

test("the search is no filter that must be cleared", () => {
  expect(filtersSet({ ...EVERYTHING, text: "1042" })).toBe(0);
  expect(filtersSet({ ...EVERYTHING, type: "gone", person: "p-dan" })).toBe(2);
});

test("an entry that was not accepted is found by its text and its person", () => {
  expect(isWantedItem(refused(), { ...EVERYTHING, text: "7008 ana" })).toBe(true);
  expect(isWantedItem(refused(), { ...EVERYTHING, person: "p-dan" })).toBe(false);
  expect(isWantedItem(refused(), { ...EVERYTHING, type: "weight" })).toBe(false);
});

test("a clash is found by what each side says, and not by the digits of an id", () => {
  const view = conflict({
    contested: ["tag", "official_weight_x10", "exhibitor_id"],
    client_data: { tag: "9904", official_weight_x10: 2621, exhibitor_id: "0198c9d4-7731-7c41-9d2e-2f6a3c1b5e70" },
    server_data: { tag: "9902", official_weight_x10: 2512, exhibitor_id: null },
  });
  for (const text of ["9904", "#9902", "262.1"]) expect(isWanted(view, { ...EVERYTHING, text })).toBe(true);
  expect(isWanted(view, { ...EVERYTHING, text: "7731" })).toBe(false);
});
