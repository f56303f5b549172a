import { expect, test } from "vitest";

import { NOW } from "../../testing/samples.ts";
import { DEFAULT_PASS, passFault, passMoment, passOf } from "./pass.ts";

const ZONE = "America/Chicago";

test("a pass is chosen by the show's clock, left to the desk, or given for ever", () => {
  expect(passMoment({ kind: "at", local: "2026-08-18T00:00" }, ZONE)).toBe("2026-08-18T05:00:00.000Z");
  expect(passMoment({ kind: "never", local: "" }, ZONE)).toBeNull();
  expect(passMoment(DEFAULT_PASS, ZONE)).toBeUndefined();
});

test("what a phone has now stands in the field as it is", () => {
  expect(passOf("2026-08-18T05:00:00.000Z", ZONE)).toEqual({ kind: "at", local: "2026-08-18T00:00" });
  expect(passOf(null, ZONE).kind).toBe("never");
});

test("a time that is over, or none, is not a pass", () => {
  expect(passFault({ kind: "at", local: "" }, ZONE, NOW)).toBe("Choose a day and a time.");
  expect(passFault({ kind: "at", local: "2026-08-14T10:00" }, ZONE, NOW)).toMatch(/still to come/);
  expect(passFault({ kind: "at", local: "2026-08-14T11:00" }, ZONE, NOW)).toBeUndefined();
  expect(passFault({ kind: "never", local: "" }, ZONE, NOW)).toBeUndefined();
});
