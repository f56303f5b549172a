import { expect, test } from "vitest";

import { conflict, show } from "../testing/samples.ts";
import { conflictSentence, conflictText, differenceText, subjectName, wholeRecordSides } from "./conflict-words.ts";

test.each([
  ["update_update", "Two people changed the start weight of #1042 while Maria’s phone was away from Wi-Fi."],
  ["insert_insert", "Two people entered #1042 with a different start weight."],
  ["insert_deleted", "Maria added #1042, which Dan had deleted."],
  ["update_deleted", "Maria changed #1042, which Dan has deleted."],
  ["delete_updated", "Maria deleted #1042, which Dan has changed since."],
  ["update_missing", "Maria changed #1042, which the laptop no longer has."],
  ["merged_invalid", "Maria’s entry about #1042 contradicts what the laptop has."],
])("%s has its sentence", (kind, sentence) => {
  expect(conflictSentence(conflict({ kind }))).toBe(sentence);
});

test("an entry that arrived at once was not away", () => {
  const view = conflict();
  const timeline = view.timeline.map((point) =>
    point.what === "arrived" ? { ...point, at: "2026-08-14T14:16:20.000Z" } : point,
  );
  expect(conflictSentence({ ...view, timeline })).toMatch(/at the same time\.$/);
});

test("one person on two devices is one person", () => {
  const view = conflict({ server_author: { name: "Maria", device: "Maria’s tablet", device_kind: "phone" } });
  expect(conflictSentence(view)).toMatch(/^Maria, on two devices, changed/);
  expect(conflictText(view)).toMatchObject({ otherIsPhone: true, otherDevice: "Maria’s tablet" });
});

test("the list says what differs, with the unit", () => {
  expect(differenceText(conflict(), show)).toBe("Start weight 621 lb / 612 lb");
  const deleted = conflict({ kind: "update_deleted", server_data: undefined, clean: [] });
  expect(differenceText(deleted, show)).toBe("Start weight 621 lb, Note Wet coat / deleted");
});

test("a deletion and a change are told side by side", () => {
  expect(wholeRecordSides(conflict({ kind: "delete_updated", client_data: undefined }), show)).toEqual({
    phone: "Deleted",
    laptop: "Start weight 612 lb",
  });
});

test("a record without a tag still has a name", () => {
  expect(subjectName("exhibitors", { first_name: "Tess", last_name: "Holloway" })).toBe("Tess Holloway");
  expect(subjectName("classes", { name: "Market Steer" })).toBe("Market Steer");
  expect(subjectName("animals", null)).toBe("this animal");
});
