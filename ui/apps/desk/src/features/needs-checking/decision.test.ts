import { describe, expect, test } from "vitest";

import { cards, conflict, placing } from "../../testing/samples.ts";
import { decide, decisionRows, readTyped, type Choice } from "./decision.ts";

const phone: Choice = { side: "phone", typed: {} };
const laptop: Choice = { side: "laptop", typed: {} };
const typed = (values: Record<string, string>): Choice => ({ side: "other", typed: values });

const two = conflict({
  contested: ["tag", "pen"],
  base_data: { tag: "0412", pen: "A1" },
  client_data: { tag: "0421", pen: "B2" },
  server_data: { tag: "0411", pen: "C3" },
});

test("nothing chosen is no decision", () => {
  expect(decide(two, {})).toEqual({ state: "incomplete" });
});

test("half chosen is no decision", () => {
  expect(decide(two, { tag: phone })).toEqual({ state: "incomplete" });
});

test("all fields from the phone let the phone win", () => {
  expect(decide(two, { tag: phone, pen: phone })).toEqual({
    state: "ready",
    resolution: "client_wins",
    data: undefined,
  });
});

test("all fields from the laptop let the laptop win", () => {
  expect(decide(two, { tag: laptop, pen: laptop })).toEqual({
    state: "ready",
    resolution: "server_wins",
    data: undefined,
  });
});

test("a mixture spells out every disputed value", () => {
  expect(decide(two, { tag: phone, pen: laptop })).toEqual({
    state: "ready",
    resolution: "manual",
    data: { tag: "0421", pen: "C3" },
  });
});

test("a typed value stands beside a chosen one", () => {
  expect(decide(two, { tag: typed({ tag: " 04a1 " }), pen: laptop })).toEqual({
    state: "ready",
    resolution: "manual",
    data: { tag: "04A1", pen: "C3" },
  });
});

test("an empty typed value is named by its field", () => {
  const decision = decide(two, { tag: typed({ tag: "  " }), pen: laptop });
  expect(decision).toMatchObject({ state: "invalid", fields: { tag: expect.any(String) } });
});

test("a weight is sent in tenths", () => {
  expect(decide(conflict(), { init_weight_x10: typed({ init_weight_x10: "616.5" }) })).toEqual({
    state: "ready",
    resolution: "manual",
    data: { init_weight_x10: 6165 },
  });
});

test("a group that travels together is one row and keeps its members together", () => {
  const view = conflict({
    contested: ["init_weighed_on", "init_weight_x10"],
    client_data: { init_weight_x10: 6210, init_weighed_on: "2026-03-28" },
    server_data: { init_weight_x10: 6120, init_weighed_on: "2026-03-27" },
  });
  expect(decisionRows(view)).toEqual([
    { key: "init_weight_x10", fields: ["init_weight_x10", "init_weighed_on"], sides: ["phone", "laptop", "other"] },
  ]);
});

describe("a record as a whole", () => {
  const deleted = conflict({ kind: "update_deleted", server_data: undefined, contested: ["tag", "pen"] });

  test("is one row without a third value", () => {
    expect(decisionRows(deleted)).toEqual([{ key: "record", fields: ["tag", "pen"], sides: ["phone", "laptop"] }]);
  });

  test("comes back with the phone's changes or stays deleted", () => {
    expect(decide(deleted, { record: phone })).toMatchObject({ resolution: "client_wins", data: undefined });
    expect(decide(deleted, { record: laptop })).toMatchObject({ resolution: "server_wins", data: undefined });
  });
});

test.each([
  ["init_weight_x10", "612", { value: 6120 }],
  ["init_weight_x10", "612,5 lb", { value: 6125 }],
  ["back_number", "214", { value: 214 }],
  ["species", "goat", { value: "goat" }],
  ["is_addon", "true", { value: true }],
  ["name", " Bella ", { value: "Bella" }],
])("%s typed as %j is %j", (field, text, expected) => {
  expect(readTyped(field, text)).toEqual(expected);
});

test.each([
  ["init_weight_x10", "heavy"],
  ["init_weight_x10", "0"],
  ["init_weight_x10", "612.55"],
  ["back_number", "2.5"],
  ["tag", ""],
])("%s typed as %j is refused before it is sent", (field, text) => {
  expect(readTyped(field, text)).toHaveProperty("fault");
});

describe("a group of changes", () => {
  const card = cards("C7", { a: placing("e-1", 1, 2), b: placing("e-2", 2, 1) });

  test("is one choice for all its rows", () => {
    expect(decisionRows(card)).toEqual([{ key: "group", fields: [], sides: ["phone", "laptop", "other"] }]);
    expect(decide(card, { group: phone })).toMatchObject({ resolution: "client_wins", data: undefined });
    expect(decide(card, { group: laptop })).toMatchObject({ resolution: "server_wins", data: undefined });
  });

  test("takes typed places by row and leaves the others as they are", () => {
    expect(decide(card, { group: typed({ b: " 3 ", a: "" }) })).toEqual({
      state: "ready",
      resolution: "manual",
      data: { b: { place: 3 } },
    });
  });

  test.each(["0", "1.5", "first", "1000"])("refuses %s as a place, at its row", (text) => {
    expect(decide(card, { group: typed({ a: text }) })).toMatchObject({
      state: "invalid",
      fields: { a: expect.any(String) },
    });
  });

  test("needs at least one typed place", () => {
    expect(decide(card, { group: typed({}) })).toMatchObject({
      state: "invalid",
      fields: { group: expect.any(String) },
    });
  });

  test("that contradicts itself cannot be taken as the phone sent it", () => {
    expect(decisionRows({ ...card, rule: "C8" })[0]?.sides).toEqual(["laptop", "other"]);
  });

  test("without placings has nothing to type", () => {
    const part = { ...placing("e-1", 1, 2), table_name: "animals" };
    expect(decisionRows({ ...card, rule: null, records: { a: part } })[0]?.sides).toEqual(["phone", "laptop"]);
  });
});

describe("a value that must be unique", () => {
  const view = conflict({ kind: "unique_violation", contested: ["tag"], clean: [], other_record_id: "a-2" });
  const same = { tag: { side: "same", typed: {} } } as const;

  test("may turn out to be one thing entered twice", () => {
    expect(decide(view, same)).toEqual({ state: "ready", resolution: "manual", data: { same_as: "a-2" } });
  });

  test("has no such way without the other record", () => {
    const alone = { ...view, other_record_id: null };
    expect(decisionRows(alone)[0]?.sides).toEqual(["phone", "laptop", "other"]);
    expect(decide(alone, same)).toEqual({ state: "incomplete" });
  });
});

test("a third weight is a manual decision about the animal's weight", () => {
  const view = conflict({ kind: "rule", rule: "C1", contested: ["official_weight_x10"], clean: [] });
  expect(decide(view, { official_weight_x10: typed({ official_weight_x10: "1,262" }) })).toMatchObject({
    state: "invalid",
  });
  expect(decide(view, { official_weight_x10: typed({ official_weight_x10: "1262" }) })).toEqual({
    state: "ready",
    resolution: "manual",
    data: { official_weight_x10: 12620 },
  });
});

test("what a rule proposes is confirmed or not, never typed", () => {
  const view = conflict({ kind: "rule", rule: "C14", contested: ["out_reason"], clean: [] });
  expect(decisionRows(view)[0]?.sides).toEqual(["phone", "laptop"]);
});

test("a deletion from before a restore can only be left", () => {
  const view = conflict({ kind: "restored_server", contested: [], clean: [] });
  expect(decisionRows(view)).toEqual([{ key: "record", fields: [], sides: ["laptop"] }]);
});
