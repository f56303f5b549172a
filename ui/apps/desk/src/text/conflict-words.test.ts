import { expect, test } from "vitest";

import type { ConflictView } from "../data/desk-api.ts";
import { cards, conflict, placing, show } from "../testing/samples.ts";
import {
  canBeSame,
  choiceHints,
  conflictSentence,
  conflictText,
  differenceText,
  sideButtons,
  subjectName,
  uniqueSides,
  wholeRecordSides,
} from "./conflict-words.ts";

const twoTags: Partial<ConflictView> = {
  kind: "unique_violation",
  subject: {},
  other_record_id: "a-2",
  contested: ["tag"],
  clean: [],
  base_data: undefined,
  client_data: { tag: "0421", breed: "Angus", sex: "steer" },
  server_data: { tag: "0421", breed: "Duroc", sex: "barrow" },
};

test.each([
  ["update_update", "Two people changed the start weight of #1042 while Maria’s phone was away from Wi-Fi."],
  ["insert_insert", "Two people entered #1042 with a different start weight."],
  ["insert_deleted", "Maria added #1042, which Dan had deleted."],
  ["update_deleted", "Maria changed #1042, which Dan has deleted."],
  ["delete_updated", "Maria deleted #1042, which Dan has changed since."],
  ["update_missing", "Maria changed #1042, which the laptop no longer has."],
  ["merged_invalid", "The start weight of #1042 from Maria’s phone and from the laptop do not fit together."],
])("%s has its sentence", (kind, sentence) => {
  expect(conflictSentence(conflict({ kind }), show)).toBe(sentence);
});

test("an entry that arrived at once was not away", () => {
  const view = conflict();
  const timeline = view.timeline.map((point) =>
    point.what === "arrived" ? { ...point, at: "2026-08-14T14:16:20.000Z" } : point,
  );
  expect(conflictSentence({ ...view, timeline }, show)).toMatch(/at the same time\.$/);
});

test("one person on two devices is one person", () => {
  const view = conflict({ server_author: { name: "Maria", device: "Maria’s tablet", device_kind: "phone" } });
  expect(conflictSentence(view, show)).toMatch(/^Maria, on two devices, changed/);
  expect(conflictText(view)).toMatchObject({ otherIsPhone: true, otherDevice: "Maria’s tablet" });
});

test("the list says what differs, with the unit", () => {
  expect(differenceText(conflict(), show)).toBe("Start weight 621 / 612 lb");
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

test("a value that another row has is told with both rows, neither called after it", () => {
  const view = conflict(twoTags);
  expect(conflictSentence(view, show)).toBe(
    "Maria gave the new Angus steer the tag that the earlier Duroc barrow has.",
  );
  expect(uniqueSides(view)).toEqual({ phone: "the new Angus steer", laptop: "the earlier Duroc barrow" });
  expect(differenceText(view, show)).toBe("Tag 0421, wanted twice");
  expect(conflictText(view).about).toBe("Angus steer");
});

test("being the same is offered only with the other record and for one change", () => {
  expect(canBeSame(conflict(twoTags))).toBe(true);
  expect(canBeSame(conflict({ ...twoTags, other_record_id: null }))).toBe(false);
  expect(canBeSame(conflict({ ...twoTags, records: {} }))).toBe(false);
  expect(choiceHints(conflict(twoTags)).join(" ")).toContain("They are the same");
  expect(choiceHints(conflict({ ...twoTags, other_record_id: null })).join(" ")).not.toContain("They are the same");
});

test.each<[string, ConflictView, string]>([
  [
    "C1",
    conflict({
      kind: "rule",
      rule: "C1",
      subject: { tag: "0412" },
      contested: ["official_weight_x10"],
      client_data: { official_weight_x10: 12620 },
      server_data: { official_weight_x10: 12260 },
      timeline: [],
    }),
    "Two weights for tag 0412: 1,262 lb / 1,226 lb.",
  ],
  [
    "C1 after an absence",
    conflict({ kind: "rule", rule: "C1", contested: ["official_weight_x10"] }),
    "Two people changed the weight of #1042 while Maria’s phone was away from Wi-Fi.",
  ],
  ["C6 on a card", cards("C6", {}), "Maria’s result card for Market Steer places an animal that is marked out."],
  [
    "C6 after it",
    conflict({ kind: "rule", rule: "C6", table_name: "placings", subject: { tag: "0412", class: "Market Steer" } }),
    "#0412 was placed in Market Steer, and now Maria marked it out.",
  ],
  ["C7", cards("C7", {}), "Two people posted different result cards for Market Steer."],
  [
    "C8",
    cards("C8", { a: placing("e-1", 1, null), b: placing("e-2", 1, null) }),
    "Maria’s result card for Market Steer gives place 1 twice.",
  ],
  ["C14", conflict({ kind: "rule", rule: "C14" }), "#1042 is placed, and its weigh-back is too far from its weight."],
])("rule %s has its sentence", (_, view, sentence) => {
  expect(conflictSentence(view, show)).toBe(sentence);
});

test.each<[string, Partial<ConflictView>, string, string]>([
  ["update_deleted", { kind: "update_deleted" }, "Bring it back", "Keep deleted"],
  ["missing_reference", { kind: "missing_reference" }, "Save it now", "Leave it out"],
  ["a restored row that is gone", { kind: "restored_server", server_data: undefined }, "Bring it back", "Leave it out"],
  ["a restored row that is there", { kind: "restored_server" }, "Use phone’s", "Use laptop’s"],
  ["a weigh-back", { kind: "rule", rule: "C14" }, "Disqualify", "Leave it in"],
  ["a unique value", twoTags, "Give here", "Keep there"],
])("the buttons of %s say what they do", (_, change, phone, laptop) => {
  expect(sideButtons(conflict(change))).toEqual({ phone, laptop });
});

test("what never was on the laptop is not called deleted there", () => {
  const view = conflict({ kind: "missing_reference", base_data: undefined, server_data: undefined });
  expect(wholeRecordSides(view, show).laptop).toBe("Not here");
});
