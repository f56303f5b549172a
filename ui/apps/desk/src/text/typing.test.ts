import { expect, test } from "vitest";

import { show } from "../testing/samples.ts";
import { fromLocal, toLocal } from "./local-time.ts";
import { inputType, isTypable, readTyped, typedChoices, typedText } from "./typing.ts";

test.each([
  ["init_weight_x10", "612.5", 6125],
  ["init_weight_x10", "612,5", 6125],
  ["init_weight_x10", " 612 lb", 6120],
  ["back_number", "176", 176],
  ["tag", "04a1", "04A1"],
  ["species", "goat", "goat"],
  ["is_addon", "false", false],
  ["born_on", "2026-02-28", "2026-02-28"],
  ["pen", " C-09 ", "C-09"],
  ["planned_at", "2026-08-14T10:05", "2026-08-14T15:05:00.000Z"],
])("%s typed as %j", (field, text, expected) => {
  expect(readTyped(field, text, show)).toEqual({ value: expected });
});

test.each([
  ["init_weight_x10", "heavy"],
  ["init_weight_x10", "0"],
  ["init_weight_x10", "612.55"],
  ["init_weight_x10", "278 kg"],
  ["back_number", "2.5"],
  ["back_number", "0"],
  ["place", "1000"],
  ["tag", ""],
  ["tag", "A".repeat(21)],
  ["pen", "C".repeat(201)],
  ["born_on", "2026-02-30"],
  ["planned_at", "tomorrow"],
])("%s typed as %j is refused before it is sent", (field, text) => {
  expect(readTyped(field, text, show)).toHaveProperty("fault");
});

test("days and moments have an input of their own, words and yes or no a list", () => {
  expect([inputType("born_on"), inputType("planned_at"), inputType("tag")]).toEqual(["date", "datetime-local", "text"]);
  expect(typedChoices("species")?.[0]).toEqual({ value: "cattle", label: "Cattle" });
  expect(typedChoices("is_addon")?.map(({ label }) => label)).toEqual(["Yes", "No"]);
  expect(typedChoices("tag")).toBeUndefined();
});

test("ids, lists and what the desk works out are not typed", () => {
  for (const field of ["class_id", "arrived_by", "prev_tags", "adg_x1000", "status"]) {
    expect(isTypable(field)).toBe(false);
  }
});

test("a value stands in its input as a person would type it", () => {
  expect(typedText("init_weight_x10", 12_805, show)).toBe("1280.5");
  expect(typedText("planned_at", "2026-08-14T15:05:00.000Z", show)).toBe("2026-08-14T10:05");
  expect(typedText("pen", null, show)).toBe("");
});

test("the show's clock is right on both sides of a change of the clock", () => {
  for (const iso of ["2026-03-08T07:30:00.000Z", "2026-03-08T08:30:00.000Z", "2026-11-01T05:30:00.000Z"]) {
    expect(fromLocal(toLocal(iso, "America/Chicago"), "America/Chicago")).toBe(iso);
  }
});

test("a midnight that the clocks jump over is the first moment of its day", () => {
  expect(fromLocal("2018-11-04T00:00", "America/Sao_Paulo")).toBe("2018-11-04T03:00:00.000Z");
  expect(fromLocal("2022-03-27T00:00", "Asia/Beirut")).toBe("2022-03-26T22:00:00.000Z");
  expect(fromLocal("2026-03-08T02:30", "America/Chicago")).toBe("2026-03-08T08:30:00.000Z");
});
