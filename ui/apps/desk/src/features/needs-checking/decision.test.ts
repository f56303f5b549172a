import { describe, expect, test } from "vitest";

import { cards, conflict, placing, show } from "../../testing/samples.ts";
import { decide, decisionRows, type Choice } from "./decision.ts";

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
  expect(decide(two, {}, show)).toEqual({ state: "incomplete" });
});

test("half chosen is no decision", () => {
  expect(decide(two, { tag: phone }, show)).toEqual({ state: "incomplete" });
});

test("all fields from the phone let the phone win", () => {
  expect(decide(two, { tag: phone, pen: phone }, show)).toEqual({
    state: "ready",
    resolution: "client_wins",
    data: undefined,
  });
});

test("all fields from the laptop let the laptop win", () => {
  expect(decide(two, { tag: laptop, pen: laptop }, show)).toEqual({
    state: "ready",
    resolution: "server_wins",
    data: undefined,
  });
});

test("a mixture spells out every disputed value", () => {
  expect(decide(two, { tag: phone, pen: laptop }, show)).toEqual({
    state: "ready",
    resolution: "manual",
    data: { tag: "0421", pen: "C3" },
  });
});

test("a typed value stands beside a chosen one", () => {
  expect(decide(two, { tag: typed({ tag: " 04a1 " }), pen: laptop }, show)).toEqual({
    state: "ready",
    resolution: "manual",
    data: { tag: "04A1", pen: "C3" },
  });
});

test("an empty typed value is named by its field", () => {
  const decision = decide(two, { tag: typed({ tag: "  " }), pen: laptop }, show);
  expect(decision).toMatchObject({ state: "invalid", fields: { tag: expect.any(String) } });
});

test("a weight is sent in tenths", () => {
  expect(decide(conflict(), { init_weight_x10: typed({ init_weight_x10: "616.5" }) }, show)).toEqual({
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
    expect(decide(deleted, { record: phone }, show)).toMatchObject({ resolution: "client_wins", data: undefined });
    expect(decide(deleted, { record: laptop }, show)).toMatchObject({ resolution: "server_wins", data: undefined });
  });
});

describe("a group of changes", () => {
  const card = cards("C7", { a: placing("e-1", 1, 2), b: placing("e-2", 2, 1) });

  test("is one choice for all its rows", () => {
    expect(decisionRows(card)).toEqual([{ key: "group", fields: [], sides: ["phone", "laptop", "other"] }]);
    expect(decide(card, { group: phone }, show)).toMatchObject({ resolution: "client_wins", data: undefined });
    expect(decide(card, { group: laptop }, show)).toMatchObject({ resolution: "server_wins", data: undefined });
  });

  test("takes typed places by row and leaves the others as they are", () => {
    expect(decide(card, { group: typed({ b: " 3 ", a: "" }) }, show)).toEqual({
      state: "ready",
      resolution: "manual",
      data: { b: { place: 3 } },
    });
  });

  test.each(["0", "1.5", "first", "1000"])("refuses %s as a place, at its row", (text) => {
    expect(decide(card, { group: typed({ a: text }) }, show)).toMatchObject({
      state: "invalid",
      fields: { a: expect.any(String) },
    });
  });

  test("needs at least one typed place", () => {
    expect(decide(card, { group: typed({}) }, show)).toMatchObject({
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
    expect(decide(view, same, show)).toEqual({ state: "ready", resolution: "manual", data: { same_as: "a-2" } });
  });

  test("has no such way without the other record", () => {
    const alone = { ...view, other_record_id: null };
    expect(decisionRows(alone)[0]?.sides).toEqual(["phone", "laptop", "other"]);
    expect(decide(alone, same, show)).toEqual({ state: "incomplete" });
  });
});

test("a third weight is a manual decision about the animal's weight", () => {
  const view = conflict({ kind: "rule", rule: "C1", contested: ["official_weight_x10"], clean: [] });
  expect(decide(view, { official_weight_x10: typed({ official_weight_x10: "1,262" }) }, show)).toMatchObject({
    state: "invalid",
  });
  expect(decide(view, { official_weight_x10: typed({ official_weight_x10: "1262" }) }, show)).toEqual({
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
