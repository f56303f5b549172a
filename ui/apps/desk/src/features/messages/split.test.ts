import { expect, test } from "vitest";

import { joinText, letters, placeholdersIn, splitText, unknownIn } from "./split.ts";

test.each([
  ["Lunch break at 12:00. Both rings.", "Lunch break at 12:00.", "Both rings."],
  ["{class} to make-ready, Ring 1, at {time}. Wait.", "{class} to make-ready, Ring 1, at {time}.", "Wait."],
  ["Is Ana here? Come to the office!", "Is Ana here?", "Come to the office!"],
  // As short a sentence as this takes the next one along.
  ["Lightning. Keep all animals in the barns. Wait.", "Lightning. Keep all animals in the barns.", "Wait."],
  // A dot in the middle of a sentence.
  ["Weigh-in of no. 214 is at 9 a.m. today. Hurry.", "Weigh-in of no. 214 is at 9 a.m. today.", "Hurry."],
  ["Steers over 1,250.5 lb. to Ring 2. Now.", "Steers over 1,250.5 lb. to Ring 2.", "Now."],
  // A line of its own is the title, whatever stands in it.
  ["Stop. Wait. Listen\nThe show goes on at 2.", "Stop. Wait. Listen", "The show goes on at 2."],
  ["no end", "no end", ""],
  ["   ", "", ""],
])("%s", (text, title, body) => {
  expect(splitText(text)).toEqual({ title, body });
});

test("a first sentence that is too long is cut between words, and nothing is lost", () => {
  const text = `${"The county fair goes on ".repeat(6)}tomorrow.`;
  const { title, body } = splitText(text);
  expect(letters(title)).toBeLessThanOrEqual(80);
  expect(`${title} ${body}`).toBe(text);
  const endless = "x".repeat(200);
  expect(splitText(endless)).toEqual({ title: "x".repeat(80), body: "x".repeat(120) });
  const emoji = "🐖".repeat(100);
  expect(letters(splitText(emoji).title)).toBe(80);
});

test.each([
  ["Lunch break at 12:00.", "Both rings."],
  ["Lunch break", "Both rings. Show starts again at 1:00."],
  ["All clear", undefined],
  ["Stop. Look.", "And listen."],
])("what is joined is split into the same: %s", (title, body) => {
  expect(splitText(joinText(title, body))).toEqual({ title, body: body ?? "" });
});

test("placeholders are known by name, and others are told apart", () => {
  expect(placeholdersIn("{time} and {class}, {class}")).toEqual(["class", "time"]);
  expect(unknownIn("{judge} at {time}, {} {5}")).toEqual(["judge"]);
});
