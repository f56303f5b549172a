import { expect, test } from "vitest";

import type { Activity } from "../../data/desk-api.ts";
import { show } from "../../testing/samples.ts";
import { activityLine, activityLines } from "./activity.ts";

const activity: Activity = {
  seq: 90,
  at: "2026-08-14T14:41:00.000Z",
  who: "Maria",
  device: { id: "d-1", name: "Maria’s phone", kind: "phone" },
  table_name: "weigh_ins",
  record_id: "w-1",
  what: "added",
  fields: ["weight_x10"],
  subject: { tag: "1042", breed: "Angus", sex: "steer", weight_x10: 6120, name: null },
};
const arrived = { ...activity, table_name: "animals", what: "changed", fields: ["arrived_at", "arrived_by", "pen"] };

test("a weigh-in is told with its weight", () => {
  expect(activityLine(activity, show)).toEqual({
    seq: 90,
    at: activity.at,
    kind: "weigh",
    did: "Maria weighed",
    subject: "#1042",
    about: "Angus steer, 612 lb",
    device: "Maria’s phone",
    fromPhone: true,
  });
});

test("a check-in is told as one, another change of the same animal is not", () => {
  expect(activityLine(arrived, show)).toMatchObject({ did: "Maria checked in", kind: "checkin" });
  expect(activityLine({ ...arrived, fields: ["pen"] }, show)).toMatchObject({ did: "Maria moved", kind: "other" });
  expect(activityLine({ ...arrived, fields: ["breed"] }, show).did).toBe("Maria changed");
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
  const consequence = { ...activity, seq: 91, table_name: "animals", what: "changed" };
  const later = { ...arrived, seq: 92, at: "2026-08-14T14:42:00.000Z" };
  expect(activityLines([later, consequence, activity], show).map((line) => line.did)).toEqual([
    "Maria checked in",
    "Maria weighed",
  ]);
});

test("many of one kind at one time are one line", () => {
  const many = Array.from({ length: 6 }, (_, index) => ({ ...activity, seq: 80 - index, who: "Desk" }));
  expect(activityLines([activity, ...many], show).map((line) => `${line.did} ${line.subject}`)).toEqual([
    "Maria weighed #1042",
    "Desk weighed 6 animals or more",
  ]);
  const before = { ...activity, seq: 10, who: "Ana" };
  expect(activityLines([...many, before], show)[0]).toMatchObject({ subject: "6 animals", about: "" });
});
