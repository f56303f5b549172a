import { expect, test } from "vitest";

import type { ConflictView } from "../data/desk-api.ts";
import { conflict, show } from "../testing/samples.ts";
import { classPlace, classWhen } from "./class-when.ts";

// It is 10:45 at the show.
function shown(planned_at: string | null, status = "scheduled"): ConflictView["class"] {
  return { id: "k-6", code: "6", name: "Market Steer", ring: "Ring 2", planned_at, status };
}

test.each([
  ["2026-08-14T16:07:00.000Z", "class in 22 min", "warn"],
  ["2026-08-14T16:55:00.000Z", "class in 1 h 10 min", "plain"],
  ["2026-08-14T18:30:00.000Z", "class at 1:30 pm", "plain"],
  ["2026-08-15T14:00:00.000Z", "class at 15 Aug", "plain"],
  ["2026-08-14T15:30:00.000Z", "class due 10:30", "warn"],
  [null, "9:41", "plain"],
])("a class planned at %s is %s", (planned, text, tone) => {
  expect(classWhen(conflict({ class: shown(planned) }), show)).toEqual({ text, tone });
});

test("a class under way waits for its results", () => {
  const view = conflict({ severity: "results", class: shown("2026-08-14T18:30:00.000Z", "judged") });
  expect(classWhen(view, show)).toEqual({ text: "class 6 waits", tone: "bad" });
});

test("a class that is over, and none at all, leave the entry's own time", () => {
  for (const touched of [shown("2026-08-14T14:00:00.000Z", "official"), null]) {
    expect(classWhen(conflict({ class: touched }), show)).toEqual({ text: "9:41", tone: "plain" });
  }
});

test("the class is told with its ring and its time", () => {
  expect(classPlace(conflict({ class: shown("2026-08-14T15:05:00.000Z") }), show)).toBe("Class 6 in Ring 2 at 10:05.");
  expect(classPlace(conflict(), show)).toBe("");
});
