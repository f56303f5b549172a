// Messages of the desk on one phone: stored before they count as delivered, in order, once, and answered though the
// desk was away when the person answered.

import { expect, test, vi } from "vitest";

import { keepNotices, markTold, reached } from "../src/notices.ts";
import { Store } from "../src/store.ts";
import { readNotice } from "../src/wire.ts";
import { beginWithOnePhone, desk, phone, store } from "./beginning.ts";
import { FakeDesk, newStore, TestPhone } from "./fake-desk.ts";

beginWithOnePhone();

const notice = (id: string) => phone.engine.inbox.items.find((one) => one.id === id);
const acked = (state: string) => desk.acks.filter((ack) => ack.state === state).flatMap((ack) => ack.ids);
const settled = async () => {
  for (let turn = 0; turn < 3; turn += 1) {
    await phone.engine.inbox.settled();
    await phone.engine.settled();
  }
};

/** From here on the desk fails whenever it is asked for messages; its stream goes on. */
function failAtNotices(): void {
  const known = desk.decide;
  const type = { "content-type": "application/problem+json" };
  desk.decide = async (request) => {
    const isAsked = request.url.includes("/me/notifications?");
    return isAsked ? new Response(`{"code":"internal"}`, { status: 500, headers: type }) : await known(request);
  };
}

test("a message of the stream is stored, shown, and told as delivered", async () => {
  desk.tell("lunch");
  await settled();
  expect(notice("lunch")).toMatchObject({ title: "Lunch break at 12:00", own: "delivered", told: "delivered" });
  expect(await store.notices.count()).toBe(1);
  expect(acked("delivered")).toEqual(["lunch"]);
});

test("what came while the phone was away is caught up with, before the stream is opened", async () => {
  phone.dropStream();
  desk.noticePage = 2;
  for (let i = 0; i < 5; i += 1) desk.tell(`m${i}`);
  await phone.round();
  await settled();
  expect(phone.engine.inbox.items).toHaveLength(5);
  expect(await store.fact("notices_at")).toMatchObject({ after: 5, person: "maria" });
  desk.tell("m5");
  await settled();
  expect(phone.engine.inbox.items).toHaveLength(6);
});

test("a desk that fails at what was missed tells it on the stream, and nothing is passed over", async () => {
  phone.dropStream();
  for (const id of ["one", "two", "three"]) desk.tell(id);
  failAtNotices();
  // Loaded anew, so that nothing of before is in its memory.
  await phone.engine.rest();
  await phone.engine.start();
  await settled();
  desk.tell("four");
  await settled();
  expect(phone.engine.inbox.items.map(({ id }) => id).sort()).toEqual(["four", "one", "three", "two"]);
  expect(await store.fact("notices_at")).toMatchObject({ after: 4 });
});

test("what could not be stored is asked for again, though the next one was", async () => {
  desk.tell("one");
  await settled();
  const storing = vi.spyOn(store.notices, "bulkPut").mockRejectedValueOnce(new Error("no more room"));
  desk.tell("two", { priority: "urgent", needs_ack: true });
  desk.tell("three");
  await settled();
  expect(storing.mock.calls.length).toBeGreaterThan(1);
  expect(phone.engine.inbox.items.map(({ id }) => id).sort()).toEqual(["one", "three", "two"]);
  expect(acked("delivered").sort()).toEqual(["one", "three", "two"]);
  expect(await store.fact("notices_at")).toMatchObject({ after: 3 });
});

test("what came early says nothing of what is before it, also when the desk fails at what was missed", async () => {
  phone.dropStream();
  desk.tell("first");
  const second = desk.tell("second");
  failAtNotices();
  await phone.engine.rest();
  phone.engine.inbox.hearEarly(second);
  await phone.engine.inbox.settled();
  await phone.engine.start();
  await settled();
  expect(phone.engine.inbox.items.map(({ id }) => id).sort()).toEqual(["first", "second"]);
});

test("a message is kept though the phone has closed the store's connection in the background", async () => {
  store.close({ disableAutoOpen: true });
  desk.tell("lunch");
  await settled();
  expect(notice("lunch")).toMatchObject({ own: "delivered", told: "delivered" });
});

test("the same message again changes nothing, and an older telling does not come back", async () => {
  const first = desk.tell("closes", { title: "Closes at 11:30" });
  const second = desk.tell("closes", { title: "Closes at 11:45" });
  await settled();
  phone.live?.({ type: "notification", id: String(second.seq), data: second });
  phone.live?.({ type: "notification", id: String(first.seq), data: first });
  await settled();
  expect(phone.engine.inbox.items).toHaveLength(1);
  expect(notice("closes")).toMatchObject({ title: "Closes at 11:45", seq: 2 });
});

test("an answer given while the laptop is away is kept, outlives a reload, and goes out later", async () => {
  desk.tell("storm", { priority: "urgent", needs_ack: true });
  await settled();
  phone.dropStream();
  desk.isDown = true;
  await phone.engine.inbox.raise(["storm"], "confirmed");
  await settled();
  expect(acked("confirmed")).toEqual([]);
  expect(notice("storm")).toMatchObject({ own: "confirmed", told: "delivered" });

  // The page is loaded again: another engine on the same store.
  await phone.engine.rest();
  desk.isDown = false;
  const again = new TestPhone(desk, new Store(store.name));
  await again.engine.start();
  await again.engine.settled();
  expect(acked("confirmed")).toEqual(["storm"]);
  expect(again.engine.inbox.items[0]).toMatchObject({ own: "confirmed", told: "confirmed" });
  await again.engine.stop();
  again.store.close();
});

test("an answer is kept though the phone has closed the store's connection in the background", async () => {
  desk.tell("closes", { priority: "high", needs_ack: true });
  await settled();
  store.close({ disableAutoOpen: true });
  await phone.engine.inbox.raise(["closes"], "confirmed");
  await settled();
  expect(notice("closes")).toMatchObject({ own: "confirmed" });
});

test("answers only rise, and each is told once", async () => {
  desk.tell("closes", { priority: "high", needs_ack: true });
  await settled();
  await phone.engine.inbox.raise(["closes"], "confirmed");
  await phone.engine.inbox.raise(["closes"], "seen");
  await settled();
  await phone.round();
  expect(notice("closes")?.own).toBe("confirmed");
  expect(desk.acks.map(({ state }) => state)).toEqual(["delivered", "confirmed"]);
});

test("an answer given while the last one is written down is told without waiting for a round", async () => {
  desk.tell("storm", { priority: "urgent", needs_ack: true });
  await settled();
  const { inbox } = phone.engine;
  const read = inbox.read.bind(inbox);
  let isAnswered = false;
  const reading = vi.spyOn(inbox, "read").mockImplementation(async () => {
    if (!isAnswered && (await store.notices.get("storm"))?.told === "seen") {
      isAnswered = true;
      await inbox.raise(["storm"], "confirmed");
    }
    await read();
  });
  await inbox.raise(["storm"], "seen");
  await settled();
  reading.mockRestore();
  expect(isAnswered).toBe(true);
  expect(acked("confirmed")).toEqual(["storm"]);
});

test("confirmed on another phone of the same person counts here, and this phone claims nothing", async () => {
  desk.tell("closes", { priority: "high", needs_ack: true });
  await settled();
  desk.tell("closes", { state: "confirmed" });
  await settled();
  const found = notice("closes");
  expect(found && reached(found)).toBe("confirmed");
  expect(found?.own).toBe("delivered");
  expect(acked("confirmed")).toEqual([]);
});

test("what was over before it came is missed, and was never delivered", async () => {
  phone.dropStream();
  const sent_at = "2023-11-14T22:00:00.000Z";
  const over = { id: "call", seq: 1, type: "class_call", title: "Class 15 is next", priority: "high" };
  desk.missed = [{ ...over, sent_at, expires_at: "2023-11-14T22:12:00.000Z" }];
  desk.noticeSeq = 1;
  await phone.round();
  await settled();
  expect(notice("call")).toMatchObject({ own: "waiting", title: "Class 15 is next" });
  expect(desk.acks).toEqual([]);
});

test("by the desk's clock a message expires, however wrong the phone's is", async () => {
  phone.nowMs += 3 * 3_600_000;
  await phone.round();
  const told = readNotice({ ...desk.tell("soon"), expires_at: "2023-11-14T22:43:20.000Z" });
  if (told === undefined) throw new Error("unreadable");
  await settled();
  expect(new Date(phone.engine.inbox.nowMs).toISOString()).toBe(desk.serverTime);
  expect(await keepNotices(store, [{ ...told, id: "other" }], phone.engine.inbox.nowMs)).toHaveLength(1);
});

test("a restored desk counts anew: what it tells wins, and it is told again what became of it", async () => {
  desk.tell("one");
  desk.tell("two");
  await settled();
  await phone.engine.inbox.raise(["one"], "seen");
  await settled();
  phone.dropStream();
  desk.acks = [];
  desk.noticeSeq = 0;
  desk.notices.clear();
  desk.epoch = "e2";
  desk.tell("one", { title: "One, from the copy" });
  await phone.round();
  await settled();
  expect(notice("one")).toMatchObject({ seq: 1, title: "One, from the copy", own: "seen", told: "seen" });
  expect(acked("seen")).toEqual(["one"]);
  expect(await store.fact("notices_at")).toMatchObject({ epoch: "e2", after: 1 });
});

test("a desk that counts from lower numbers without a word is asked from the start", async () => {
  for (const id of ["one", "two", "three"]) desk.tell(id);
  await settled();
  phone.dropStream();
  desk.noticeSeq = 0;
  desk.notices.clear();
  desk.tell("four");
  await phone.round();
  await settled();
  expect(notice("four")?.seq).toBe(1);
  expect(await store.fact("notices_at")).toMatchObject({ after: 1 });
});

test("a phone that another person goes on with has none of the old one's messages", async () => {
  desk.tell("for maria");
  await settled();
  phone.dropStream();
  const session = await store.fact("session");
  if (session === undefined) throw new Error("no session");
  await store.setFact("session", { ...session, person: { id: "wes", name: "Wes Tanaka" } });
  desk.notices.clear();
  desk.tell("for wes");
  await phone.round();
  await settled();
  expect(phone.engine.inbox.items.map(({ id }) => id)).toEqual(["for wes"]);
});

const ANA = { device_id: "device-1", name: "Scale 2", person: { id: "ana", name: "Ana Ruiz" }, functions: ["scale"] };

test("two people that were one: the phone asks who it is before it asks for messages, and has all of the one", async () => {
  desk.tell("for maria", { priority: "urgent", needs_ack: true });
  desk.tell("also for maria");
  await settled();
  // The desk has merged them: other messages, in other numbers, of which the phone has none.
  desk.notices.clear();
  desk.noticeSeq = 0;
  for (const id of ["one", "two", "three"]) desk.tell(id);
  phone.live?.({ type: "bye", id: null, data: { reason: "rights" } });
  desk.me = ANA;
  phone.dropStream();
  await phone.round();
  await settled();
  expect(phone.engine.inbox.items.map(({ id }) => id).sort()).toEqual(["one", "three", "two"]);
  expect(await store.fact("notices_at")).toMatchObject({ person: "ana", after: 3 });
});

test("who learns while it hears that it is another person, asks for everything of that one", async () => {
  desk.tell("for maria");
  await settled();
  const hear = phone.live;
  desk.notices.clear();
  desk.noticeSeq = 0;
  desk.hearers.clear();
  const [first, second] = [desk.tell("one"), desk.tell("two")];
  // The stream was opened after the merge with the number of before: it tells the second one only.
  desk.me = ANA;
  hear?.({ type: "notification", id: "2", data: second });
  hear?.({ type: "me", id: null, data: {} });
  await settled();
  expect(phone.engine.inbox.items.map(({ id }) => id).sort()).toEqual(["one", "two"]);
  const third = desk.tell("three");
  hear?.({ type: "notification", id: "3", data: third });
  await settled();
  expect(notice("one")?.seq).toBe(first.seq);
  expect(await store.fact("notices_at")).toMatchObject({ person: "ana", after: 3 });
});

test("another person without messages has none of the old one's on the screen", async () => {
  desk.tell("for maria");
  await settled();
  desk.notices.clear();
  desk.noticeSeq = 0;
  desk.me = ANA;
  phone.dropStream();
  await phone.round();
  await settled();
  expect(phone.engine.inbox.items).toEqual([]);
});

test("a desk that cannot say who the phone is still tells messages and takes entries", async () => {
  phone.dropStream();
  desk.tell("lunch");
  desk.me = { device_id: 5 };
  await phone.round();
  await settled();
  expect(notice("lunch")).toBeDefined();
  expect(phone.engine.status).toMatchObject({ link: "near", trouble: null });
});

test("an older desk without messages, or one that fails at them, holds up no entry", async () => {
  for (const trouble of [() => (desk.hasNotices = false), () => desk.notices.set("odd", null as never)]) {
    trouble();
    phone.dropStream();
    await phone.engine.add({
      table: "animals",
      id: desk.rows.values().next().value?.id ?? "",
      operation: "update",
      data: { pen: "C2" },
    });
    await phone.round();
    await phone.engine.settled();
    expect(phone.engine.status).toMatchObject({ waiting: 0, link: "near", trouble: null });
  }
});

test("a message that came early by another way does not hide those before it", async () => {
  phone.dropStream();
  desk.tell("first");
  const second = desk.tell("second", { priority: "urgent" });
  phone.engine.inbox.hearEarly(second);
  await phone.engine.inbox.settled();
  expect(notice("second")?.priority).toBe("urgent");
  await phone.round();
  await settled();
  expect(phone.engine.inbox.items.map(({ id }) => id).sort()).toEqual(["first", "second"]);
});

test("a reminder is news to who has not answered, and to nobody else", async () => {
  const heard: string[][] = [];
  phone.engine.inbox.onArrived((arrived) => heard.push(arrived.map(({ id }) => id)));
  desk.tell("closes", { priority: "high", needs_ack: true });
  await settled();
  desk.tell("closes", { reminded_at: "2023-11-14T22:20:00.000Z" });
  await settled();
  await phone.engine.inbox.raise(["closes"], "confirmed");
  await settled();
  desk.tell("closes", { reminded_at: "2023-11-14T22:30:00.000Z" });
  await settled();
  expect(heard).toEqual([["closes"], ["closes"]]);
});

test("a thousand messages with the stream cut again and again come in order, without a gap or a double", async () => {
  const many = new FakeDesk();
  const own = new TestPhone(many, await newStore(many));
  const heard: number[] = [];
  own.engine.inbox.onArrived((arrived) => heard.push(...arrived.map(({ seq }) => seq)));
  await own.engine.start();
  await own.engine.settled();
  // The same numbers each time: a generator of its own.
  let state = 7;
  const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
  for (let told = 0; told < 1_000; told += 1) {
    many.tell(`m${told}`);
    const chance = random(20);
    if (chance === 0) own.dropStream();
    if (chance === 1) await own.round();
    if (chance === 2) many.losesNextAnswer = true;
  }
  await own.round();
  await own.engine.inbox.settled();
  await own.round();
  expect(heard).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  expect(await own.store.fact("notices_at")).toMatchObject({ after: 1_000 });
  await own.engine.stop();
  own.store.close();
}, 30_000);

test("messages that were over half a day ago are forgotten, and never more than three hundred kept", async () => {
  const at = phone.engine.inbox.nowMs;
  const seed = readNotice(desk.tell("seed"));
  if (seed === undefined) throw new Error("unreadable");
  await settled();
  const old = { ...seed, id: "old", expires_at: new Date(at - 13 * 3_600_000).toISOString() };
  const many = Array.from({ length: 320 }, (_, i) => ({ ...seed, id: `n${i}`, seq: i + 10 }));
  await keepNotices(store, [old, ...many], at);
  expect(await store.notices.get("old")).toBeUndefined();
  expect(await store.notices.count(), "what the desk was not told of stays").toBe(320);
  await markTold(
    store,
    many.map(({ id }) => id),
    "delivered",
    at,
  );
  expect(await store.notices.count()).toBe(300);
  expect(await store.notices.get("n319")).toBeDefined();
});

test("a message that newer ones drive out before the desk was told of it is told of all the same", async () => {
  const many = new FakeDesk();
  const own = new TestPhone(many, await newStore(many));
  await own.engine.start();
  await own.engine.settled();
  const known = many.decide;
  many.decide = async (request) =>
    request.url.includes("/ack") ? new Response("", { status: 500 }) : await known(request);
  for (let told = 0; told < 400; told += 1) many.tell(`m${told}`);
  await own.engine.inbox.settled();
  await own.engine.settled();
  many.decide = known;
  await own.round();
  await own.engine.inbox.settled();
  expect(new Set(many.acks.flatMap(({ ids }) => ids)).size).toBe(400);
  await own.engine.stop();
  own.store.close();
}, 30_000);
