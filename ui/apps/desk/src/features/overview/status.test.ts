import { expect, test } from "vitest";

import { phoneAway, rule, slowAnswers } from "../../testing/fake-health.ts";
import { overview, show } from "../../testing/samples.ts";
import { checkingNote, statusOf, waitingNote } from "./status.ts";

const connected = { phones_connected: 14, phones_away: 2 };

test("things to check do not spoil a good show: the second line names them and when it matters", () => {
  const busy = overview({ ...connected, needs_checking: 3, first_class_at: "2026-08-14T16:16:00.000Z" });
  expect(statusOf(busy, 16, show)).toEqual({
    title: "All good. 14 phones connected, 2 away.",
    calm: true,
    line: "3 entries need checking. The first class they touch starts at 11:16.",
    link: { text: "Check now", href: "#/needs-checking" },
  });
  expect(checkingNote(busy, show)).toBe("First class in 31 min");
});

test("a class that has begun is told as begun", () => {
  const late = overview({ ...connected, needs_checking: 1, first_class_at: "2026-08-14T15:41:00.000Z" });
  expect(statusOf(late, 16, show).line).toBe("1 entry needs checking. The first class they touch began at 10:41.");
  expect(checkingNote(late, show)).toBe("First class began 4 min ago");
});

test("an entry that was not accepted comes before everything", () => {
  const refused = overview({ ...connected, needs_checking: 3, needs_attention: 2 });
  expect(statusOf(refused, 16, show)).toMatchObject({ title: "2 entries were not accepted.", calm: false });
});

test("an alert that fires is the one thing that needs somebody, by name and since when", () => {
  const well = overview(connected);
  expect(statusOf(well, 16, show, [slowAnswers(), phoneAway()])).toEqual({
    title: "One thing needs you: a phone is away with unsent work.",
    calm: false,
    line: "Maria’s phone, for 29 min.",
    link: { text: "Look at it", href: "#/health/rule/phone_away_unsent" },
  });
  const disk = phoneAway({ headline: "The disk is almost full", rule: rule({ id: "disk_low", severity: "critical" }) });
  expect(statusOf(well, 16, show, [phoneAway(), disk])).toMatchObject({
    title: "2 things need you. First: the disk is almost full.",
    link: { href: "#/health" },
  });
});

test("what is silent, good to know, or quiet leaves a good show good", () => {
  const silent = phoneAway({ rule: rule({ silenced_until: "2026-08-14T18:00:00.000Z" }) });
  const notice = phoneAway({ rule: rule({ severity: "notice" }) });
  expect(statusOf(overview(connected), 16, show, [silent, notice, slowAnswers()]).calm).toBe(true);
});

test("without phones and without entries the next step is told", () => {
  const empty = overview({ animals: 0, entries: 0, needs_checking: 0 });
  expect(statusOf(empty, 0, show)).toMatchObject({
    title: "Ready. No phone has joined yet.",
    line: "The show has no entries yet.",
    link: { text: "Import entries", href: "#/import" },
  });
});

test("phones that are all away are no fault", () => {
  const quiet = overview({ needs_checking: 0, phones_away: 2, waiting_on_phones: 11, unsent_phones: 2 });
  expect(statusOf(quiet, 2, show)).toMatchObject({
    title: "All good. 2 phones away, none connected.",
    calm: true,
    line: "11 entries are kept on 2 phones until they reach the laptop.",
  });
});

test("what waits on phones has its age", () => {
  const waiting = { waiting_on_phones: 11, unsent_phones: 2, oldest_unsent_at: "2026-08-14T15:16:00.000Z" };
  expect(waitingNote(overview(waiting), show)).toBe("On 2 phones, oldest 29 min");
  expect(waitingNote(overview(), show)).toBe("All phones have sent");
});
