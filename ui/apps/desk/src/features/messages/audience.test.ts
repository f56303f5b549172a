import { expect, test } from "vitest";

import { audienceOf, keyOf, onlyClass, partsOf, peopleOf, withPart, type Part } from "./audience.ts";

const CLASS: Part = { kind: "class", id: "k-15", label: "Class 15" };
const GATE: Part = { kind: "function", id: "gate", label: "Gate crew" };
const ALL: Part = { kind: "everybody", id: "everybody", label: "Everybody" };

test("chips become an audience, and an audience the same chips", () => {
  const audience = audienceOf([CLASS, GATE]);
  expect(audience).toEqual({ class_ids: ["k-15"], functions: ["gate"] });
  const reach = { parts: [{ key: "class:k-15", label: "Class 15", people: 11 }] };
  expect(partsOf(audience, reach)).toEqual([CLASS, GATE]);
  expect(peopleOf(CLASS, reach)).toBe(11);
  expect(peopleOf(GATE, reach)).toBeUndefined();
  expect(partsOf(audience, undefined).map(({ label }) => label)).toEqual(["Another class", "Gate crew"]);
});

test("everybody takes the others in, and goes when somebody is named", () => {
  expect(withPart([CLASS, GATE], ALL)).toEqual([ALL]);
  expect(withPart([ALL], GATE)).toEqual([GATE]);
  expect(withPart([GATE], GATE)).toEqual([GATE]);
  expect(audienceOf([ALL])).toEqual({ everybody: true });
  expect(partsOf({ everybody: true }, undefined)).toEqual([ALL]);
  expect(keyOf(ALL)).toBe("everybody");
});

test("a message counts by its class only if it has one", () => {
  expect(onlyClass([GATE, CLASS])).toBe(CLASS);
  expect(onlyClass([CLASS, { ...CLASS, id: "k-16" }])).toBeUndefined();
});
