import { expect, test } from "vitest";

import { conflict, show } from "../../testing/samples.ts";
import { timelinePoints } from "./timeline.ts";

test("the story has its four points, the phone away between them", () => {
  const points = timelinePoints(conflict(), show);
  expect(points.map((point) => [point.who, point.text, point.phoneAway])).toEqual([
    [undefined, "Both had 598 lb", false],
    ["Dan", "saved 612 lb on the laptop", true],
    ["Maria", "saved 621 lb on the phone", true],
    [undefined, "The entry reached the laptop. The phone’s clock is 4 s slow.", false],
  ]);
});

test("of many decisions and undos the last two are told, in the order they happened", () => {
  const later = ["decided", "undone", "decided", "undone"].map((what, index) => ({
    what,
    at: `2026-08-14T14:5${String(index)}:00.000Z`,
    who: "Dan",
    values: {},
  }));
  const view = conflict();
  const points = timelinePoints({ ...view, timeline: [...later, ...view.timeline] }, show);
  expect(points.map((point) => point.icon)).toEqual(["both", "laptop", "phone", "back", "decided", "undone"]);
});
