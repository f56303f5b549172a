import type { StoredCheck, StoredOp } from "@showdesk/sync";
import { expect, test } from "vitest";

import { arrival } from "../src/features/check-in/check-in.ts";
import { readCheck } from "../src/features/checks/check.ts";
import { Finder } from "../src/features/find/find.ts";
import { tagOf } from "../src/features/tag/tag.ts";
import { judge } from "../src/features/weigh-in/judge.ts";
import { cleanTyped, shownTyped, typedX10 } from "../src/features/weigh-in/typed.ts";
import { weighInDraft } from "../src/features/weigh-in/weigh-in.ts";
import { hashOf, parseRoute, type Route } from "../src/router.svelte.ts";
import { lastWeighIn, type Book } from "../src/show/book.ts";
import { dayText, daysBetween, timeText, weightText } from "../src/show/format.ts";
import { may } from "../src/show/permit.ts";
import type { Animal, Exhibitor, WeighIn } from "../src/show/rows.ts";

const SHOW = { id: "s", name: "Fair", stage: "B", unit: "lb", timeZone: "UTC" } as const;

function animal(id: string, more: Partial<Animal> = {}): Animal {
  const nothing = {
    name: null,
    officialId: null,
    initWeightX10: null,
    initWeighedOn: null,
    arrivedAt: null,
    pen: null,
  };
  const empty = {
    prevTags: [],
    idCheck: "unchecked",
    healthCheck: "unchecked",
    officialWeightX10: null,
    disputed: [],
    isOwn: false,
  };
  const steer = { exhibitorId: "emma", species: "cattle", sex: "steer", breed: "Angus", tag: id };
  return { id, ...nothing, ...empty, ...steer, ...more };
}

function weighIn(id: string, weightX10: number, replacesId: string | null = null, kind: string = "arrival"): WeighIn {
  return { id, animalId: "0412", kind, weightX10, weighedAt: "2026-11-22T09:43:00.000Z", replacesId, isVoid: false };
}

function book(animals: readonly Animal[], weighIns: readonly WeighIn[] = []): Book {
  const emma: Exhibitor = { id: "emma", backNumber: 137, name: "Emma Kolar", club: null };
  const cole: Exhibitor = { id: "cole", backNumber: 412, name: "Cole Hanley", club: null };
  return {
    show: SHOW,
    animals: new Map(animals.map((one) => [one.id, one])),
    exhibitors: new Map([emma, cole].map((one) => [one.id, one])),
    weighIns: new Map([["0412", weighIns]]),
    weighInById: new Map(weighIns.map((one) => [one.id, one])),
  };
}

const HERD = book([
  animal("0412"),
  animal("0398", { exhibitorId: "cole" }),
  animal("0877", { prevTags: ["0397"], officialId: "840003123456789" }),
  animal("A412", { name: "Bucky" }),
]);

test.each([
  ["0412", ["0412", "0398"]],
  ["412", ["0412", "0398", "A412"]],
  ["137", ["0412", "0877", "A412"]],
  ["#137", ["0412", "0877", "A412"]],
  ["0397", ["0877"]],
  ["6789", ["0877"]],
  ["840003123456789", ["0877"]],
  ["hanl", ["0398"]],
  ["BUCKY", ["A412"]],
  ["a412", ["A412"]],
  ["9999", []],
  ["  ", []],
])("%j finds %j, the best first", (query, tags) => {
  expect(found(HERD, query).hits.map(({ animal: { tag } }) => tag)).toEqual(tags);
});

function found(herd: Book, query: string) {
  return new Finder().follow(herd).find(query);
}

test.each([
  ["0412", undefined],
  ["9", undefined],
  ["840003123456789", "0877"],
  ["0397", "0877"],
  ["#412", "0398"],
  ["0398", "0398"],
  ["bucky", "A412"],
])("after %j the one that is surely meant is %j", (query, tag) => {
  // 0412 is a tag and the number of an exhibitor: the person chooses.
  expect(found(HERD, query).sure?.tag).toBe(tag);
});

test("two animals with one tag, of two species, are never mixed up by themselves", () => {
  const both = book([animal("steer", { tag: "0412" }), animal("lamb", { tag: "0412", species: "sheep" })]);
  expect(found(both, "0412")).toMatchObject({ count: 2, sure: undefined });
});

test("many hits are cut after the best, in the order of their tags, and counted in full", () => {
  const many = book(Array.from({ length: 300 }, (_, i) => animal(`${300 - i}`)));
  const ends = found(many, "7");
  expect(ends.count).toBe(39);
  expect(ends.hits).toHaveLength(20);
  expect(ends.hits.slice(0, 3).map((hit) => hit.animal.tag)).toEqual(["7", "17", "27"]);
});

test("an index that follows the show finds what changed and forgets what went", () => {
  const finder = new Finder().follow(HERD);
  const steer = animal("0412", { tag: "0500" });
  finder.follow(book([steer, animal("0398", { exhibitorId: "cole" })]));
  expect(finder.find("0500").sure).toBe(steer);
  expect(finder.find("0412").hits.map((hit) => hit.fit)).toEqual(["back_number"]);
  expect(finder.find("0877").count).toBe(0);
});

const MARIA = { id: "maria", functions: ["checkin"] };
const NOTHING_SEEN = { idCheck: null, pen: null, papers: null };

test("only what the person set is part of an arrival, and is taken back with it", () => {
  const now = new Date("2026-11-22T09:41:00.000Z");
  const it = animal("0412", { pen: "C-14" });
  const plain = arrival(it, MARIA, NOTHING_SEEN, now);
  expect(plain.arrive.map((draft) => draft.data)).toEqual([
    { arrived_at: "2026-11-22T09:41:00.000Z", arrived_by: "maria" },
  ]);
  expect(plain.takeBack.map((draft) => draft.data)).toEqual([{ arrived_at: null, arrived_by: null }]);
  const full = arrival(it, MARIA, { ...NOTHING_SEEN, idCheck: "match", pen: " B-2 " }, now);
  expect(full.arrive[0].data).toMatchObject({ id_check: "match", pen: "B-2" });
  expect(full.takeBack[0].data).toMatchObject({ id_check: "unchecked", pen: "C-14" });
});

test("papers are an entry of their own, unless one function may write the whole arrival", () => {
  const seen = { ...NOTHING_SEEN, papers: "hold" } as const;
  const vet = arrival(animal("0412"), { id: "v", functions: ["checkin", "vet"] }, seen, new Date(0));
  expect(vet.arrive.map((draft) => Object.keys(draft.data))).toEqual([["arrived_at", "arrived_by"], ["health_check"]]);
  expect(vet.takeBack[1]?.data).toEqual({ health_check: "unchecked" });
  const boss = arrival(animal("0412"), { id: "s", functions: ["admin"] }, seen, new Date(0));
  expect(boss.arrive).toHaveLength(1);
  expect(boss.arrive[0].data).toMatchObject({ health_check: "hold" });
});

test("the weight that counts is the end of the chain, whatever the clocks say", () => {
  const chain = [weighIn("b", 12900, "a", "reweigh"), weighIn("a", 12860)];
  expect(lastWeighIn(book([animal("0412")], chain), "0412")?.id).toBe("b");
});

test("a second weight replaces the first, and its kind follows the stage", () => {
  const now = new Date("2026-11-22T09:43:00.000Z");
  const first = weighInDraft("w1", animal("0412"), 12860, { show: SHOW, before: undefined, now });
  expect(first.data).toMatchObject({ kind: "arrival", weight_x10: 12860, unit: "lb", tag_read: "0412" });
  expect(first.data).not.toHaveProperty("replaces_id");
  const second = weighInDraft("w2", animal("0412"), 12900, { show: SHOW, before: weighIn("w1", 12860), now });
  expect(second.data).toMatchObject({ kind: "reweigh", replaces_id: "w1" });
  const back = weighInDraft("w3", animal("0412"), 12900, { show: { ...SHOW, stage: "D" }, before: undefined, now });
  expect(back.data["kind"]).toBe("weigh_back");
});

const TODAY = "2026-08-22T09:00:00.000Z";
const GROWN = { initWeightX10: 7420, initWeighedOn: "2026-03-14" };
const WEIGHED = [10500, 11200, 12000, 14000, 15500].map((x10, i) => animal(`w${i}`, { officialWeightX10: x10 }));

test.each([
  ["a weight like the others", 12860, GROWN, WEIGHED, false],
  ["heavier than any steer here", 18260, {}, WEIGHED, true],
  ["a little heavier than any steer here", 16000, {}, WEIGHED, false],
  ["a gain that no steer makes", 18260, GROWN, [], true],
  ["lighter than at the start", 7000, GROWN, [], true],
  ["nothing to compare with", 18260, {}, [], false],
  ["too few weighed to know", 18260, {}, WEIGHED.slice(0, 4), false],
])("%s: %i asks or not", (_, x10, more, others, asks) => {
  const it = animal("0412", more);
  expect(judge(book([it, ...others]), it, x10, TODAY).asks).toBe(asks);
});

test("a gain is told with its days, and 186 days at 1.50 lb are 279 lb", () => {
  const it = animal("0412", { initWeightX10: 7000, initWeighedOn: "2026-01-01" });
  const judged = judge(book([it]), it, 9790, "2026-07-06");
  expect(judged).toMatchObject({ changeX10: 2790, days: 186 });
  expect((judged.perDay ?? 0) / 10).toBeCloseTo(1.5);
});

test("a second weight far from the first asks: perhaps the wrong animal stands there", () => {
  const it = animal("0412");
  expect(judge(book([it], [weighIn("a", 12860)]), it, 11000, TODAY).asks).toBe(true);
  expect(judge(book([it], [weighIn("a", 12860)]), it, 12900, TODAY).asks).toBe(false);
});

test.each([
  ["1286", "1286", "1,286", 12860],
  ["1286.5", "1286.5", "1,286.5", 12865],
  ["1,286.57", "1286.5", "1,286.5", 12865],
  ["12.3.4", "12.3", "12.3", 123],
  [".", ".", "0.", null],
  ["007", "7", "7", 70],
  ["123456", "1234", "1,234", 12340],
  ["", "", "", null],
])("typing %j gives %j, shown %j, saved %j", (typed, clean, shown, x10) => {
  expect(cleanTyped(typed)).toBe(clean);
  expect(shownTyped(clean)).toBe(shown);
  expect(typedX10(clean)).toBe(x10);
});

test("numbers and times read as people write them", () => {
  expect([weightText(12865, "lb"), weightText(500, "kg"), weightText(-40, "lb")]).toEqual([
    "1,286.5 lb",
    "50 kg",
    "−4 lb",
  ]);
  expect(timeText("2026-11-22T09:41:59.000Z", "UTC")).toBe("9:41");
  expect(timeText("2026-11-22T00:05:00.000Z", "UTC")).toBe("0:05");
  expect(timeText("2026-11-22T09:41:00.000Z", "America/Chicago")).toBe("3:41");
  expect(timeText("2026-11-22T09:41:00.000Z", "Nowhere/At-All")).toMatch(/^\d{1,2}:41$/);
  expect([dayText("2026-03-14"), dayText("nonsense")]).toEqual(["Mar 14", ""]);
  expect(daysBetween("2026-03-14", "2026-08-22T23:00:00.000Z")).toBe(161);
});

test.each<[string[], string[] | null, boolean]>([
  [["scale"], null, true],
  [["scale"], [], false],
  [["scale"], ["fix_tags"], false],
  [["gate"], ["arrive", "weigh"], true],
  [["admin"], [], true],
])("jobs %j with permissions %j may weigh: %j", (functions, permissions, allowed) => {
  expect(may("weigh", { functions, permissions }, "B")).toBe(allowed);
});

test.each([
  ["fix_tag", ["superintendent"], "B", true],
  ["fix_tag", ["checkin", "scale"], "B", false],
  ["fix_tag", ["admin"], "E", false],
  ["weigh", ["scale"], "A", false],
  ["weigh", ["scale"], "B", true],
  ["check_in", ["gate"], "D", false],
  ["weigh", ["superintendent"], "B", false],
  ["check_in", [], "B", false],
  ["see_papers", ["checkin"], "B", false],
  ["see_papers", ["vet"], "B", true],
] as const)("%s as %j in stage %s: %j", (action, functions, stage, allowed) => {
  expect(may(action, { functions }, stage)).toBe(allowed);
});

test("a tag is stored as the desk stores it", () => {
  expect(tagOf("  ab-12é ")).toBe("AB-12é");
});

test.each<[string, Route]>([
  ["#/join/abc.7c3fa921", { name: "join", code: "abc", fingerprint: "7C3FA921" }],
  ["#/join/abc", { name: "join", code: "abc", fingerprint: null }],
  ["#/join/abc.<script>", { name: "join", code: "abc", fingerprint: null }],
  ["#/join", { name: "join", code: null, fingerprint: null }],
  ["#/moved/lsd_x-Y_z", { name: "moved", pass: "lsd_x-Y_z" }],
  ["#/moved", { name: "work" }],
  ["#/trust/7C3FA921", { name: "trust", fingerprint: "7C3FA921" }],
  ["#/trust", { name: "trust", fingerprint: null }],
  ["#/check-in/0190", { name: "check-in", animal: "0190" }],
  ["#/weigh-in", { name: "weigh-in", animal: null }],
  ["#/tag/0190", { name: "tag", animal: "0190" }],
  ["#/tag", { name: "work" }],
  ["", { name: "work" }],
  ["#/%E0%A4%A", { name: "work" }],
])("%j leads to %j", (hash, route) => {
  expect(parseRoute(hash)).toEqual(route);
  expect(parseRoute(hashOf(route))).toEqual(route);
});

function check(more: Partial<StoredCheck["view"]>, answered: number | null = null): StoredCheck {
  const decided = { resolution: "server_wins", by_name: "Dan", at: "2026-11-22T09:31:00.000Z", undone_at: null };
  const view: StoredCheck["view"] = {
    id: "c1",
    kind: "update_update",
    status: "resolved",
    rev: 2,
    table_name: "animals",
    record_id: "a",
    op_ids: ["mine"],
    subject: {},
    base_data: { tag: "0412" },
    server_data: { tag: "0413" },
    client_data: { tag: "0414" },
    contested: ["tag"],
    device: null,
    author: { id: "ben", name: "Ben" },
    server_author: { id: "maria", name: "Maria", at: null, device_kind: "desk" },
    rule: null,
    disagreement: null,
    asked: null,
    opened_at: "",
    resolved_at: "2026-11-22T09:31:00.000Z",
    timeline: [],
    decisions: [{ ...decided, reason: "Read the ear", values: { tag: "0413" } }],
    ...more,
  };
  return { id: "c1", view, answered_rev: answered };
}
const OWN: StoredOp = {
  op_id: "mine",
  device_seq: 1,
  incarnation: null,
  txn: null,
  table_name: "animals",
  record_id: "a",
  operation: "update",
  base_version: 1,
  prev_op_id: null,
  data: { tag: "0413" },
  base: { tag: "0412" },
  reason: null,
  client_time: "",
  epoch: null,
  recovered_from: null,
  state: "done",
  not_before_ms: 0,
  attempts: 0,
  result_version: 2,
  adopted: false,
  waiting_for: null,
  conflict_id: null,
  contested: [],
  fault: null,
  decision: null,
  settled_at_ms: 0,
  dismissed: false,
};

test("a decision against the author says who, what and what it was", () => {
  const read = readCheck(check({}), HERD, [OWN]);
  expect(read.fields).toMatchObject([{ kept: "0413", mine: "0414" }]);
  expect(read).toMatchObject({ stage: "decided", subject: "Tag 0412", decidedBy: "Decided by Dan:" });
  expect(read.reason).toBe("9:31. “Read the ear”");
});

test("the author of the desk's value reads the same decision from the other side", () => {
  const read = readCheck(check({ op_ids: ["theirs"] }), HERD, [OWN]);
  expect(read.fields).toMatchObject([{ kept: "0413", mine: "0413" }]);
  expect(read.other).toEqual({ name: "Ben", isDesk: false });
});

test("a value of mine that the decision replaced is still told as mine", () => {
  const [decision] = check({}).view.decisions;
  const decisions = decision ? [{ ...decision, resolution: "client_wins", values: { tag: "0414" } }] : [];
  const theirs = check({ op_ids: ["theirs"], server_data: { tag: "0414" }, decisions });
  expect(readCheck(theirs, HERD, [OWN]).fields).toMatchObject([{ kept: "0414", mine: "0413" }]);
});

test("an open check shows both values, and what everybody sees meanwhile", () => {
  const read = readCheck(check({ status: "open", decisions: [] }), HERD, [OWN]);
  expect(read).toMatchObject({ stage: "open", other: { name: "Maria", isDesk: true } });
  expect(read.fields).toEqual([{ word: "tag", mine: "0414", theirs: "0413", now: "0413", kept: null }]);
});

test("an answered decision is over, until the desk decides anew", () => {
  expect(readCheck(check({}, 2), HERD, [OWN]).stage).toBe("over");
  expect(readCheck(check({ rev: 4 }, 2), HERD, [OWN]).stage).toBe("decided");
});
