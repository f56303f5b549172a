// The rules behind messages, by themselves: groups, what is sent, where a message leads, the address for a closed page.

import type { Preferences } from "@showdesk/platform";
import type { Subscription, MessagesLeave } from "@showdesk/platform/subscription";
import type { LocalRow, StoredNotice } from "@showdesk/sync";
import { emptyStore } from "@showdesk/sync/testing";
import { describe, expect, test } from "vitest";

import { announcement, classOf, missing, ringsOf, type Writing } from "../src/features/messages/compose.ts";
import { leadsTo } from "../src/features/messages/kind.ts";
import { Outside } from "../src/features/messages/outside.svelte.ts";
import { sortNotices } from "../src/features/messages/sorted.ts";
import { whenText } from "../src/features/messages/when.ts";
import { hashOf, parseRoute } from "../src/router.svelte.ts";
import { may } from "../src/show/permit.ts";

const NOON = Date.parse("2026-08-07T12:00:00Z");

function notice(id: string, change: Partial<StoredNotice> = {}): StoredNotice {
  return {
    seq: 1,
    id,
    type: "message",
    title: id,
    body: null,
    priority: "normal",
    needs_ack: false,
    data: { open: null },
    from: null,
    sent_at: "2026-08-07T11:00:00Z",
    expires_at: null,
    retracted_at: null,
    reminded_at: null,
    state: "waiting",
    own: "delivered",
    told: "delivered",
    ...change,
  };
}

const over = { expires_at: "2026-08-07T11:59:00Z" };
const later = { expires_at: "2026-08-07T12:01:00Z" };
const retracted = { retracted_at: "2026-08-07T11:30:00Z" };
const urgent = { priority: "urgent" } as const;
const important = { priority: "high", needs_ack: true } as const;
const seen = { own: "seen" } as const;

describe("a message stands in one group", () => {
  test.each<[string, Partial<StoredNotice>, string]>([
    ["an emergency", urgent, "alarms"],
    ["an emergency that was seen", { ...urgent, ...seen }, "alarms"],
    ["an emergency that ends later", { ...urgent, ...later }, "alarms"],
    ["an emergency confirmed here", { ...urgent, own: "confirmed" }, "earlier"],
    ["an emergency confirmed on another phone", { ...urgent, state: "confirmed" }, "earlier"],
    ["an emergency that is over", { ...urgent, ...over }, "missed"],
    ["an emergency that was taken back", { ...urgent, ...retracted }, "none"],
    ["what must be confirmed", important, "important"],
    ["what must be confirmed and was seen", { ...important, ...seen }, "important"],
    ["what must be confirmed and is over", { ...important, ...over }, "missed"],
    ["something high that asks for no answer", { priority: "high" }, "unread"],
    ["news", {}, "unread"],
    ["news that was seen", seen, "earlier"],
    ["news seen on another phone", { state: "seen" }, "earlier"],
    ["news that is over", over, "missed"],
    ["news that was seen and is over", { ...seen, ...over }, "none"],
    ["news that was seen and taken back", { ...seen, ...retracted }, "earlier"],
  ])("%s", (_, change, group) => {
    const sorted = sortNotices([notice("one", change)], { nowMs: NOON, fresh: [], answered: [] });
    const groups = (["alarms", "important", "unread", "earlier", "missed"] as const).filter(
      (name) => sorted[name].length > 0,
    );
    expect(groups.join() || "none").toBe(group);
    expect(sorted.count).toBe(["alarms", "important", "unread"].includes(group) ? 1 : 0);
  });

  test("what was new when the list was opened stays new, unless it was confirmed", () => {
    const here = { nowMs: NOON, fresh: ["one", "two"], answered: ["two"] };
    const sorted = sortNotices([notice("one", seen), notice("two", { ...important, ...seen })], here);
    expect(sorted.unread.map(({ id }) => id)).toEqual(["one"]);
    expect(sorted.earlier.map(({ id }) => id)).toEqual(["two"]);
  });

  test("emergencies are oldest first, news newest first", () => {
    const at = (minute: number) => ({ sent_at: `2026-08-07T11:${minute}:00Z` });
    const three = [notice("b", at(20)), notice("c", at(30)), notice("a", at(10))];
    const ids = (list: readonly StoredNotice[]) => list.map(({ id }) => id).join("");
    const here = { nowMs: NOON, fresh: [], answered: [] };
    expect(ids(sortNotices(three, here).unread)).toBe("cba");
    expect(
      ids(
        sortNotices(
          three.map((one) => ({ ...one, ...urgent })),
          here,
        ).alarms,
      ),
    ).toBe("abc");
  });
});

const WRITING: Writing = {
  title: " Lunch ",
  body: "",
  type: "message",
  priority: "normal",
  audience: "everybody",
  chosen: [],
  lasts: "hour",
};

test("what is sent is what the desk takes", () => {
  expect(announcement(WRITING, NOON)).toEqual({
    type: "message",
    title: "Lunch",
    body: null,
    priority: "normal",
    needs_ack: false,
    audience: {},
    expires_at: "2026-08-07T13:00:00.000Z",
  });
  const jobs = { ...WRITING, priority: "urgent", audience: "jobs", chosen: ["gate"], lasts: "always" } as const;
  const sent = { needs_ack: true, audience: { functions: ["gate"] }, expires_at: null };
  expect(announcement(jobs, NOON)).toMatchObject(sent);
  expect(announcement({ ...jobs, audience: "class" }, NOON)["audience"]).toEqual({ class_ids: ["gate"] });
});

test("a message without words, or for nobody, is not sent", () => {
  expect(missing({ ...WRITING, title: "  " })).toBe("title");
  expect(missing({ ...WRITING, audience: "ring" })).toBe("audience");
  expect(missing({ ...WRITING, audience: "ring", chosen: ["r1"] })).toBeUndefined();
  expect(missing(WRITING)).toBeUndefined();
});

test("rings come in their order, and a class is found by its number", () => {
  const row = (table: string, id: string, data: Record<string, unknown>): LocalRow => {
    return { table, id, version: 1, data, disputed: [], told: null, isOwn: false };
  };
  const rings = [row("rings", "r2", { name: "Ring 2", seq: 2 }), row("rings", "r1", { name: "Ring 1", seq: 1 })];
  expect(ringsOf(rings).map(({ name }) => name)).toEqual(["Ring 1", "Ring 2"]);
  const classes = [row("classes", "c1", { code: "14A", name: "Market steers" })];
  expect(classOf(classes, " 14a ")).toEqual({ id: "c1", name: "14A Market steers" });
  expect(classOf(classes, "14")).toBeUndefined();
  expect(classOf(classes, " ")).toBeUndefined();
});

test.each([
  ["#/checks", "#/checks"],
  ["#/weigh-in/0190a000-0000-7000-8000-000000000001", "#/weigh-in/0190a000-0000-7000-8000-000000000001"],
  ["#/moved/lsd_pass", undefined],
  ["#/join/c0de", undefined],
  ["#/needs-checking/1", undefined],
  ["https://evil.example/#/checks", undefined],
  ["javascript:alert(1)", undefined],
  [null, undefined],
])("a message to %j leads to %j", (open, address) => expect(leadsTo(open)).toBe(address));

test("a message of another day says which", () => {
  expect(whenText("2026-08-07T11:05:00Z", NOON, "UTC")).toBe("11:05");
  expect(whenText("2026-08-06T23:05:00Z", NOON, "UTC")).toBe("Aug 6, 23:05");
  // At the show it is still the same day.
  expect(whenText("2026-08-07T04:30:00Z", NOON, "America/Chicago")).toBe("Aug 6, 23:30");
});

test.each(["messages", "new-message"] as const)("the address of %s is read as it is written", (name) => {
  expect(parseRoute(hashOf({ name }))).toEqual({ name });
});

test.each<[string, readonly string[], readonly string[] | null, boolean]>([
  ["B", ["announcer"], null, true],
  ["E", ["announcer"], null, true],
  ["A", ["announcer"], null, false],
  ["A", ["admin"], null, true],
  ["E", ["admin"], null, true],
  ["C", ["superintendent"], null, false],
  ["C", ["superintendent"], ["messages"], true],
  ["C", ["announcer"], ["calls"], false],
  ["", ["admin"], null, false],
])("in stage %j, %j with %j may send messages: %j", (stage, functions, permissions, isAllowed) => {
  expect(may("send_message", { functions, permissions }, stage)).toBe(isAllowed);
});

describe("messages while the page is closed", () => {
  /** A desk and a browser around one phone. */
  function around({ key = "desk-key" as string | null, leave = "granted" as MessagesLeave } = {}) {
    const asked: string[] = [];
    const kept = new Map<string, string>();
    const preferences: Preferences = {
      read: (name) => kept.get(name) ?? null,
      write: (name, value) => kept.set(name, value),
    };
    const world = { key, leave, ids: 0, nowMs: 0, hasInternet: true, tries: 0, asked, kept };
    const api = {
      GET: async () => ({ data: { web: world.key === null ? null : { public_key: world.key } } }),
      PUT: async (_: string, { body }: { body: Record<string, string> }) => {
        asked.push(`put ${body["platform"]} ${body["token"]} ${body["p256dh"]} ${body["auth"]}`);
        return { data: { id: `id-${(world.ids += 1)}` } };
      },
      DELETE: async (_: string, { params }: { params: { path: { id: string } } }) => {
        asked.push(`delete ${params.path.id}`);
        return {};
      },
    };
    const browser = {
      leave: () => world.leave,
      ask: async (): Promise<MessagesLeave> => (world.leave = "granted"),
      subscribe: async (wanted: string): Promise<Subscription> => {
        world.tries += 1;
        if (!world.hasInternet) throw new Error("no push service");
        return { endpoint: `https://push.example/${wanted}`, p256dh: "p", auth: "a" };
      },
      unsubscribe: async () => void asked.push("unsubscribe"),
    };
    const store = emptyStore();
    const parts = { api: api as never, store, preferences, now: () => world.nowMs, browser };
    return { world, store, outside: new Outside(parts), again: () => new Outside(parts) };
  }

  test("the desk gets this phone's address, once an hour at most", async () => {
    const { world, store, outside } = around();
    await outside.look();
    await outside.look();
    expect(world.asked).toEqual(["put web https://push.example/desk-key p a"]);
    expect(outside.reach).toBe("on");
    expect(await store.fact("push")).toEqual({
      id: "id-1",
      endpoint: "https://push.example/desk-key",
      key: "desk-key",
    });
  });

  test("a new key of the desk makes a new address, and the old one is taken back", async () => {
    const { world, outside } = around();
    await outside.look();
    [world.key, world.nowMs] = ["other-key", 3_600_001];
    await outside.look();
    expect(world.asked.slice(1)).toEqual(["put web https://push.example/other-key p a", "delete id-1"]);
  });

  test("a desk that has no key any more has no address of this phone", async () => {
    const { world, store, outside, again } = around();
    await outside.look();
    world.key = null;
    const page = again();
    await page.look();
    expect(page.reach).toBe("no_key");
    expect(world.asked.at(-1)).toBe("delete id-1");
    expect(await store.fact("push")).toBeUndefined();
  });

  test("nobody is asked before a tap; a tap asks, and off stays off", async () => {
    const { world, outside, again } = around({ leave: "ask" });
    await outside.look();
    expect(world.asked).toEqual([]);
    expect(outside.isOffered).toBe(true);
    await outside.allow();
    expect(outside.leave).toBe("granted");
    expect(world.asked).toHaveLength(1);
    await outside.turnOff();
    expect(world.asked.slice(1)).toEqual(["unsubscribe", "delete id-1"]);
    const page = again();
    await page.look();
    expect(page.leave).toBe("ask");
    expect(page.isOffered).toBe(false);
    expect(world.asked).toHaveLength(3);
  });

  test("an offer that was declined does not come back", () => {
    const { outside, again } = around({ leave: "ask" });
    outside.decline();
    expect(again().isOffered).toBe(false);
  });

  test("without internet it is tried again a minute later, then later and later, and at once by a tap", async () => {
    const { world, outside } = around();
    world.hasInternet = false;
    // Each news of the engine asks, many times a minute.
    const lookFor = async (minutes: number) => {
      for (const end = world.nowMs + minutes * 60_000; world.nowMs < end; world.nowMs += 5_000) await outside.look();
    };
    await lookFor(1);
    expect([outside.reach, world.tries]).toEqual(["failed", 1]);
    await lookFor(59);
    expect(world.tries).toBe(7);
    world.hasInternet = true;
    await outside.allow();
    expect([outside.reach, world.tries]).toEqual(["on", 8]);
  });
});
