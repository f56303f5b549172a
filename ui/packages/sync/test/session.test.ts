// Where the laptop is, who may learn the token, and how long it lives.

import { createApi } from "@showdesk/api";
import { afterEach, beforeEach, expect, test } from "vitest";

import { withdraw } from "../src/answers.ts";
import { addEntry } from "../src/outbox.ts";
import { claim, OtherShowFirst, renewToken } from "../src/session.ts";
import { Store } from "../src/store.ts";
import { FakeDesk, newStore, TestPhone } from "./fake-desk.ts";

const ANIMAL = "0190a000-0000-7000-8000-000000000001";
const OTHER_SHOW = "22222222-2222-4222-8222-222222222222";
const DAY_MS = 24 * 3_600_000;

let desk: FakeDesk;
let store: Store;
let phone: TestPhone;

beforeEach(async () => {
  desk = new FakeDesk();
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B10" });
  desk.addresses = ["http://192.168.1.20:7420", "http://10.0.0.7:7420", "javascript:alert(1)"];
  store = await newStore(desk);
  phone = new TestPhone(desk, store);
  await phone.engine.start();
  await phone.engine.settled();
});

afterEach(async () => {
  await phone.engine.stop();
  store.close();
});

const edit = () => phone.engine.add({ table: "animals", id: ANIMAL, operation: "update", data: { tag: "0413" } });

test("a laptop that has moved is found at an address that it had told", async () => {
  expect(await store.fact("addresses")).toEqual(["http://192.168.1.20:7420", "http://10.0.0.7:7420"]);
  expect(phone.engine.status.movedTo).toBeNull();
  desk.host = "10.0.0.7";
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0, movedTo: "http://10.0.0.7:7420" });
  desk.host = "desk.test";
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "near", movedTo: null });
});

test("whoever answers in the laptop's place gets neither token nor entries", async () => {
  const stranger = new FakeDesk();
  stranger.installation = OTHER_SHOW;
  const known = desk.decide;
  desk.decide = async (request) => {
    if (new URL(request.url).hostname === "desk.test") return await stranger.decide(request);
    return await known(request);
  };
  desk.host = "10.0.0.7";
  await edit();
  await phone.engine.settled();
  expect([stranger.authorized, stranger.pushes]).toEqual([[], []]);
  expect(desk.rows.get(`animals/${ANIMAL}`)?.data["tag"]).toBe("0413");
});

test("somebody else's JSON is not the desk", async () => {
  desk.decide = async () => new Response('{"hello":1}', { headers: { "content-type": "application/json" } });
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "away", waiting: 1, trouble: null });
});

test("a captive portal that answers where the desk was a moment ago costs nothing", async () => {
  const known = desk.decide;
  desk.decide = async (request) => {
    if (!request.url.includes("/sync/push")) return await known(request);
    return new Response("<html>Sign in</html>", { headers: { "content-type": "text/html" } });
  };
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "away", waiting: 1 });
  desk.decide = known;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0 });
});

test("a token is renewed when it is a week old, and used from then on", async () => {
  desk.token = "lsd_new";
  phone.nowMs += 7 * DAY_MS - 1;
  await phone.round();
  expect((await store.fact("session"))?.token).toBe("lsd_token");
  phone.nowMs += 1;
  await phone.round();
  expect(await store.fact("session")).toMatchObject({ token: "lsd_new", token_at_ms: phone.nowMs });
});

test("what the desk makes of this phone is taken over when it says so, and every few minutes", async () => {
  const me = { device_id: "device-1", name: "Scale 2", person: { id: "maria", name: "Maria L. Lopez" } };
  desk.me = { ...me, functions: ["scale"], permissions: ["weigh"], expires_at: null, file_asked_at: null };
  await phone.round();
  expect((await store.fact("session"))?.functions).toEqual(["scale", "checkin"]);
  phone.live?.({ type: "me", data: {}, id: null });
  await phone.engine.settled();
  expect(await store.fact("session")).toMatchObject({
    token: "lsd_token",
    person: { name: "Maria L. Lopez" },
    functions: ["scale"],
    permissions: ["weigh"],
  });
  desk.me = { ...desk.me, file_asked_at: "2026-11-22T09:31:00.000Z" };
  phone.nowMs += 6 * 60_000;
  await phone.round();
  expect((await store.fact("session"))?.file_asked_at).toBe("2026-11-22T09:31:00.000Z");
});

test("what is said of another phone is not taken over", async () => {
  desk.me = { device_id: "device-2", name: "", person: { id: "dan", name: "Dan" }, functions: [] };
  phone.live?.({ type: "me", data: {}, id: null });
  await phone.engine.settled();
  expect((await store.fact("session"))?.person.name).toBe("Maria Lopez");
});

test("a token that somebody else has renewed meanwhile is not overwritten", async () => {
  desk.token = "lsd_new";
  const api = createApi("http://desk.test", {
    send: async (request) => {
      const session = await store.fact("session");
      if (session) await store.setFact("session", { ...session, token: "lsd_other" });
      return await desk.send(request);
    },
  });
  await renewToken(api, store, phone.nowMs + 8 * DAY_MS);
  expect((await store.fact("session"))?.token).toBe("lsd_other");
});

test("an own entry is taken back: the desk's value stays, and nothing is open", async () => {
  desk.verdict = (op) => {
    desk.put("animals", ANIMAL, { tag: "0499", pen: "B10" }, ["tag"]);
    return { op_id: op.op_id, verdict: "conflict", conflict_id: "c1", contested: ["tag"] };
  };
  const op = await edit();
  await phone.engine.settled();
  expect(phone.engine.status.checking).toBe(1);
  await withdraw(phone.api, store, "c1", { nowMs: phone.nowMs, random: () => 0 });
  await phone.engine.refresh();
  expect(await store.ops.get(op.op_id)).toMatchObject({ state: "done", decision: { resolution: "withdrawn" } });
  expect(phone.engine.status.checking).toBe(0);
  expect(phone.engine.view.row("animals", ANIMAL)?.data["tag"]).toBe("0499");
});

test("a phone with unsent entries does not leave its show", async () => {
  desk.isDown = true;
  await edit();
  await phone.engine.settled();
  desk.isDown = false;
  desk.installation = OTHER_SHOW;
  await expect(claim(phone.api, store, "c0de", "Maria")).rejects.toThrow(OtherShowFirst);
  expect(await store.ops.count()).toBe(1);
});

test("a store that is made anew has another identity, so that its numbers mean nothing of the old one's", async () => {
  await edit();
  await phone.engine.stop();
  const [before, name] = [await store.fact("incarnation"), store.name];
  await store.delete();
  const again = new Store(name);
  expect(await again.fact("incarnation")).not.toBe(before);
  expect(await again.fact("device_seq")).toBeUndefined();
  again.close();
  store = await newStore(desk);
  phone = new TestPhone(desk, store);
});

test("a number of the count is used once, even when the show is left", async () => {
  await edit();
  await phone.engine.settled();
  desk.installation = OTHER_SHOW;
  await claim(phone.api, store, "c0de", "Maria");
  expect(await store.ops.count()).toBe(0);
  const insert = { table: "weigh_ins", id: ANIMAL, operation: "insert", data: {} } as const;
  expect((await addEntry(store, insert, phone.nowMs)).device_seq).toBe(2);
});

test("a number is not used by an entry that was not stored", async () => {
  const die = () => {
    throw new Error("the phone died");
  };
  store.facts.hook("creating", die);
  await expect(edit()).rejects.toThrow();
  store.facts.hook("creating").unsubscribe(die);
  expect(await store.ops.count()).toBe(0);
  expect((await edit()).device_seq).toBe(1);
});

test("an entry that had reached the disk when the connection died is there once", async () => {
  let isFirst = true;
  store.transaction = new Proxy(store.transaction, {
    async apply(target, self, args: Parameters<typeof store.transaction>) {
      const result: unknown = await Reflect.apply(target, self, args);
      if (!isFirst) return result;
      isFirst = false;
      // Committed, but the page never hears of it.
      throw Object.assign(new Error("gone"), { name: "DatabaseClosedError" });
    },
  });
  const op = await addEntry(
    store,
    { table: "animals", id: ANIMAL, operation: "update", data: { pen: "B11" } },
    phone.nowMs,
  );
  expect((await store.ops.toArray()).map((one) => one.op_id)).toEqual([op.op_id]);
});
