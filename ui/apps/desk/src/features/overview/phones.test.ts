import { expect, test } from "vitest";

import { device, NOW, show } from "../../testing/samples.ts";
import { phoneState, phoneWords, skewWords, sortPhones } from "./phones.ts";

const away = device({ id: "d-2", name: "Sam", last_seen: "2026-08-14T15:16:00.000Z", unsent: 9 });

test("a phone seen within a minute is connected", () => {
  expect(phoneState(device(), NOW)).toBe("connected");
  expect(phoneState(away, NOW)).toBe("away");
  expect(phoneState(device({ last_seen: null }), NOW)).toBe("never");
});

test("what a phone still holds stands first", () => {
  expect(phoneWords(away, show)).toEqual({ waiting: "9 waiting", rest: "away 29 min" });
  expect(phoneWords(device(), show)).toEqual({ waiting: undefined, rest: "All sent 10:44" });
  expect(sortPhones([device(), away], NOW).map((phone) => phone.id)).toEqual(["d-2", "d-maria"]);
});

test("a clock that is off is told, a small difference is not", () => {
  expect(skewWords(device({ skew_ms: -4000 }))).toBe("clock 4 s slow");
  expect(skewWords(device({ skew_ms: 180_000 }))).toBe("clock 3 min fast");
  expect(skewWords(device({ skew_ms: 900 }))).toBeUndefined();
});
