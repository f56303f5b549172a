import { expect, test } from "vitest";

import type { Activity } from "../../data/desk-api.ts";
import { show } from "../../testing/samples.ts";
import { activityLine, activityLines } from "./activity.ts";

const activity: Activity = {
  at: "2026-08-14T14:41:00.000Z",
  who: "Maria",
  device: { id: "d-1", name: "Maria", kind: "phone" },
  table_name: "weigh_ins",
  record_id: "w-1",
  what: "added",
  subject: { tag: "1042", breed: "Angus", sex: "steer", weight_x10: 6120, name: null },
};

test("a weigh-in is told with its weight", () => {
  expect(activityLine(activity, show)).toEqual({
    at: activity.at,
    did: "Maria weighed",
    subject: "#1042",
    about: "Angus steer, 612 lb",
    fromPhone: true,
  });
});

test("a class is told by its name, an unknown person as somebody", () => {
  const line = activityLine(
    {
      ...activity,
      who: undefined,
      device: null,
      table_name: "classes",
      what: "changed",
      subject: { name: "Market Steer" },
    },
    show,
  );
  expect(line).toMatchObject({ did: "Somebody changed", subject: "Market Steer", about: "", fromPhone: false });
});

test("the animal that a weigh-in changed has no line of its own, another change has", () => {
  const consequence = { ...activity, table_name: "animals", what: "changed" };
  const later = { ...consequence, at: "2026-08-14T14:42:00.000Z" };
  expect(activityLines([later, consequence, activity], show).map((line) => line.did)).toEqual([
    "Maria changed",
    "Maria weighed",
  ]);
});
