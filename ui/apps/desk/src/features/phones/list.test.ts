import { expect, test } from "vitest";

import type { Device } from "../../data/desk-api.ts";
import { device, show } from "../../testing/samples.ts";
import { columnsFor, countsOf, doesText, matches, passes, sorted, whereText, wifiText, workText } from "./list.ts";

const RINGS = [
  { id: "r-1", name: "Ring 1" },
  { id: "r-2", name: "Ring 2" },
];
const away: Partial<Device> = { connected: false, last_seen: "2026-08-14T15:16:00.000Z" };
const removed: Partial<Device> = { revoked_at: "2026-08-14T15:00:00.000Z" };

test("each filter leaves the phones it names, and a removed phone stands in its own alone", () => {
  const phones = [
    device({ id: "here" }),
    device({ id: "away", ...away, unsent: 9 }),
    device({ id: "gone", ...removed, unsent: 2 }),
  ];
  const left = (filter: Parameters<typeof passes>[1]) =>
    phones.filter((phone) => passes(phone, filter)).map(({ id }) => id);
  expect(left("all")).toEqual(["here", "away"]);
  expect(left("connected")).toEqual(["here"]);
  expect(left("away")).toEqual(["away"]);
  expect(left("unsent")).toEqual(["away"]);
  expect(left("removed")).toEqual(["gone"]);
  expect(countsOf(phones, 2)).toEqual({ all: 2, connected: 1, away: 1, unsent: 1, asking: 2, removed: 1 });
});

test("phones that hold entries stand first, the fullest on top; then passes that ran out, then who is away", () => {
  const phones = [
    device({ id: "calm", name: "Ana" }),
    device({ id: "away", name: "Bea", ...away }),
    device({ id: "out", name: "Cleo", expires_at: "2026-08-14T15:00:00.000Z" }),
    device({ id: "two", name: "Dee", unsent: 2 }),
    device({ id: "nine", name: "Eva", unsent: 9, ...away }),
  ];
  expect(sorted(phones, show.now).map(({ id }) => id)).toEqual(["nine", "two", "out", "away", "calm"]);
});

test.each<[Partial<Device>, string]>([
  [{ functions: ["scale"] }, "Scale"],
  [{ functions: ["gate", "checkin"] }, "Gate and check-in"],
  [{ functions: ["clerk"], scope: { ring_ids: ["r-1"] } }, "Ring 1 clerk"],
  [{ functions: ["clerk"], scope: { ring_ids: ["r-1", "r-2"] } }, "Ring 1 and Ring 2 clerk"],
  [{ functions: ["clerk"], scope: { departments: ["sheep"] } }, "Ring clerk, sheep"],
  [{ functions: ["gate"], scope: { ring_ids: ["r-2"] } }, "Gate, Ring 2"],
])("%j does %s", (change, text) => {
  expect(doesText(device(change), RINGS)).toBe(text);
});

test("without a limit somebody works everywhere", () => {
  expect(whereText({}, ["gate"], RINGS)).toBe("Everywhere");
  expect(whereText({ ring_ids: ["r-2"], departments: ["sheep"] }, ["gate"], RINGS)).toBe("Ring 2 and sheep");
});

test("every word of a search must stand in the row", () => {
  const maria = device({ user: { id: "p", name: "Maria Santos" } });
  expect(matches(maria, "santos scale", RINGS)).toBe(true);
  expect(matches(maria, "santos gate", RINGS)).toBe(false);
});

test("how a phone stands is said in words with its mark", () => {
  expect(wifiText(device(), show)).toEqual({ mark: "ok", text: "Connected" });
  expect(wifiText(device(away), show)).toEqual({ mark: "away", text: "Away 29 min" });
  expect(wifiText(device({ beats: `${"c".repeat(50)}${"s".repeat(10)}` }), show).mark).toBe("weak");
  expect(wifiText(device({ expires_at: "2026-08-14T15:45:00.000Z" }), show).mark).toBe("out");
  expect(wifiText(device({ ...away, ...removed }), show)).toEqual({ mark: "gone", text: "Removed 10:00" });
  expect(workText(device({ unsent: 9 }))).toBe("9 waiting");
  expect(workText(device({ ...removed, unsent: 9 }))).toBe("9 on it");
});

test("columns give way where there is no room, the phone and its state never", () => {
  expect(columnsFor(728)).toHaveLength(6);
  expect(columnsFor(648)).toEqual(["phone", "person", "does", "wifi", "work"]);
  expect(columnsFor(300)).toEqual(["phone", "wifi", "work"]);
});
