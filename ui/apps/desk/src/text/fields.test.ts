import { expect, test } from "vitest";

import { choiceText, fieldRows, fieldText, isShown } from "./fields.ts";

test("known fields have their screen names, unknown ones are readable", () => {
  expect(fieldText("official_weight_x10").label).toBe("Weight");
  expect(fieldText("rules.class_cap").label).toBe("Rules: class cap");
});

test("fields that travel together are one row, in their own order", () => {
  expect(fieldRows(["pen", "arrived_by", "tag", "arrived_at"])).toEqual([
    ["pen"],
    ["arrived_at", "arrived_by"],
    ["tag"],
  ]);
});

test("columns of the server say nothing to a person", () => {
  expect(isShown("updated_at")).toBe(false);
  expect(isShown("tag")).toBe(true);
});

test("code words have their screen words", () => {
  expect(choiceText("no_show")).toBe("No-show");
  expect(choiceText("missed_class")).toBe("Missed class");
});
