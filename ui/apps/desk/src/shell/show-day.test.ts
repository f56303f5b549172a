import { expect, test } from "vitest";

import { show } from "../testing/samples.ts";
import { showDay } from "./show-day.ts";

const row = (starts_on: string | null, ends_on: string | null) => ({ starts_on, ends_on });

test.each([
  ["2026-08-13", "2026-08-16", "Friday, day 2 of 4"],
  ["2026-08-14", null, "Friday, day 1 of 1"],
  ["2026-08-15", "2026-08-16", "Starts tomorrow"],
  ["2026-08-17", "2026-08-18", "Starts in 3 days"],
  ["2026-08-10", "2026-08-12", "Ended 12 Aug 2026"],
  [null, null, undefined],
])("a show from %s to %s on 14 August is %j", (starts, ends, text) => {
  expect(showDay(row(starts, ends), show)).toBe(text);
});

test("the day is the show's, not the laptop's", () => {
  const night = { ...show, now: Date.parse("2026-08-15T04:30:00.000Z") };
  expect(showDay(row("2026-08-14", "2026-08-15"), night)).toBe("Friday, day 1 of 2");
});
