import { expect, test } from "vitest";

import { COUNTS, message } from "../../testing/fake-messages.ts";
import { show } from "../../testing/samples.ts";
import { barParts, barText, nextOf } from "./counts.ts";

test("what a provider took waits until the phone says something", () => {
  const counts = { ...COUNTS, accepted: 4, failed: 1 };
  expect(barText(counts)).toBe("6 waiting, 3 on phone, 7 seen, 2 confirmed, 1 failed");
  expect(barParts(counts).map(({ value }) => value)).toEqual([6, 3, 7, 2, 1, 0]);
});

const NONE = { waiting: 0, delivered: 0, seen: 0, confirmed: 0, accepted: 0, failed: 0, expired: 0 };

test.each([
  ["somebody has not read it", message(), "remind"],
  ["seen is not confirmed", message({ counts: { ...NONE, seen: 1, confirmed: 8 } }), "remind"],
  ["an info is done once it is seen", message({ needs_ack: false, counts: { ...NONE, seen: 61 } }), "All seen"],
  ["all confirmed", message({ counts: { ...NONE, confirmed: 9 } }), "All confirmed"],
  ["it is over", message({ expires_at: "2026-08-14T15:00:00.000Z" }), "Over 10:00"],
  ["it was taken back", message({ retracted_at: "2026-08-14T15:00:00.000Z" }), "Taken back"],
  ["nobody got it", message({ counts: { ...NONE, expired: 2 } }), "Nobody"],
  ["one that failed can be reminded", message({ needs_ack: false, counts: { ...NONE, failed: 1 } }), "remind"],
  [
    "it was over before it could go out",
    message({
      expires_at: "2026-08-14T14:30:00.000Z",
      released_at: "2026-08-14T14:31:00.000Z",
      reason: "It was over before it could go out.",
      counts: NONE,
    }),
    "Not sent: over",
  ],
])("%s", (_name, item, expected) => {
  const next = nextOf(item, show);
  expect(next.is === "remind" ? "remind" : next.text).toBe(expected);
});
