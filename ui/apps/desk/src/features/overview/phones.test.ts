import { expect, test } from "vitest";

import { device, show } from "../../testing/samples.ts";
import { beatsOf, beatsText, beatsWidth, phoneState, phoneText, skewWords, sortPhones } from "./phones.ts";

const away = device({ id: "d-2", name: "Sam", connected: false, last_seen: "2026-08-14T15:16:00.000Z", unsent: 9 });
const weak = device({ id: "d-3", name: "Grace", beats: "c".repeat(50) + "cscscscscs" });

test("the desk says which phone is connected", () => {
  expect(phoneState(device())).toBe("connected");
  expect(phoneState(away)).toBe("away");
  expect(phoneState(device({ connected: false, last_seen: null }))).toBe("never");
});

test("what a phone still holds stands first", () => {
  expect(phoneText(away, show)).toEqual({ waiting: "9 waiting", rest: "away 29 min", mark: undefined });
  expect(phoneText(device({ unsent: 2 }), show)).toEqual({ waiting: "2 waiting", rest: "", mark: undefined });
  expect(phoneText(device(), show)).toEqual({ waiting: undefined, rest: "All sent 10:44", mark: "ok" });
});

test("a phone that joined within the hour says when", () => {
  const joined = device({ joined_at: "2026-08-14T15:14:00.000Z", beats: "-".repeat(29) + "c".repeat(31) });
  expect(phoneText(joined, show).rest).toBe("Joined 10:14, all sent");
});

test("several slow minutes of late are weak Wi-Fi, older ones are not", () => {
  expect(phoneText(weak, show)).toMatchObject({ rest: "Weak Wi-Fi, all sent", mark: "weak" });
  expect(phoneText(device({ beats: "s".repeat(40) + "c".repeat(20) }), show).mark).toBe("ok");
});

test("phones that hold entries come first, then those away, then weak ones", () => {
  const gone = device({ id: "d-4", name: "Zed", connected: false });
  expect(sortPhones([device(), weak, gone, away]).map((phone) => phone.id)).toEqual(["d-2", "d-4", "d-3", "d-maria"]);
});

test("an hour has sixty beats, whose height says the state as well", () => {
  const beats = beatsOf("csa", 4);
  expect(beats).toHaveLength(60);
  expect(beats.slice(-4).map(({ kind, height }) => [kind, height])).toEqual([
    ["none", 2],
    ["connected", 16],
    ["slow", 11],
    ["away", 5],
  ]);
  expect(beats.at(-1)).toMatchObject({ x: 236, y: 11 });
  expect(beatsWidth(4)).toBe(239);
  expect(beatsOf("csa", 3).at(-1)?.x).toBe(177);
});

test("the beats are told in words too", () => {
  expect(beatsText("-".repeat(10) + "c".repeat(40) + "aaaaaaaaas")).toBe(
    "Last 60 minutes: connected 40, slow 1, away 9",
  );
  expect(beatsText("-".repeat(60))).toBe("Not joined in the last 60 minutes");
});

test("a clock that is off is told, a small difference is not", () => {
  expect(skewWords(device({ skew_ms: -4000 }))).toBe("clock 4 s slow");
  expect(skewWords(device({ skew_ms: 180_000 }))).toBe("clock 3 min fast");
  expect(skewWords(device({ skew_ms: 900 }))).toBeUndefined();
});
