import { expect, test } from "vitest";

import { cards, conflict, placing, show } from "../testing/samples.ts";
import { groupTexts, isCard, placesTwice } from "./group-words.ts";

const named = { ...show, names: { "e-1": "0412", "e-2": "0398" } };

test("a card is read by its places, each line called after its animal", () => {
  const view = cards("C7", { b: placing("e-2", 2, 1), a: placing("e-1", 1, 2) });
  expect(groupTexts(view, named).map((row) => [row.name, row.lines])).toEqual([
    ["#0412", [{ field: "place", label: "Place", phone: "1", laptop: "2", disputed: true }]],
    ["#0398", [{ field: "place", label: "Place", phone: "2", laptop: "1", disputed: true }]],
  ]);
});

test("a line that is alike on both cards is not marked", () => {
  const [row] = groupTexts(cards("C7", { a: placing("e-1", 1, 1) }), named);
  expect(row).toMatchObject({ disputed: false, phoneHas: true, laptopHas: true });
});

test("an animal that only the phone places is marked, and the laptop has no line for it", () => {
  const [row] = groupTexts(cards("C7", { a: placing("e-1", 1, null) }), named);
  expect(row).toMatchObject({ disputed: true, laptopHas: false });
});

test("an entry is called after the animal of its own group", () => {
  const part = { base: undefined, server: undefined, version: 0, operation: "insert", contested: [], clean: [] };
  const view = conflict({
    records: {
      "e-1": { ...part, table_name: "entries", client: { animal_id: "a-1" } },
      "a-1": { ...part, table_name: "animals", client: { tag: "0777" } },
    },
  });
  expect(groupTexts(view, show).map((row) => [row.what, row.name])).toEqual([
    ["Animal", "#0777"],
    ["Entry", "#0777"],
  ]);
  expect(isCard(view)).toBe(false);
});

test("places given twice are found on the phone's card alone", () => {
  const records = { a: placing("e-1", 2, 1), b: placing("e-2", 2, 1), c: placing("e-3", 3, 1) };
  expect(placesTwice({ records })).toEqual([2]);
});

test("each animal that shares a place is marked, also where the laptop agrees", () => {
  const view = cards("C8", { a: placing("e-1", 1, 1), b: placing("e-2", 1, 2) });
  expect(groupTexts(view, named).map((row) => row.disputed)).toEqual([true, true]);
});
