// Following the laptop, and telling apart why it does not answer.

import { createApi } from "@showdesk/api";
import { afterEach, beforeEach, expect, test } from "vitest";

import { learnAddress } from "../src/reach.ts";
import { askWho } from "../src/session.ts";
import type { Store } from "../src/store.ts";
import { askTrust } from "../src/trust.ts";
import { FakeDesk, newStore, TestPhone } from "./fake-desk.ts";

const ANIMAL = "0190a000-0000-7000-8000-000000000001";
const HTTPS = "https://192.168.1.20:7443";
const HTTP = "http://192.168.1.20:7420";
const DAY_MS = 24 * 3_600_000;

let desk: FakeDesk;
let store: Store;
let phone: TestPhone;

beforeEach(async () => {
  desk = new FakeDesk();
  desk.host = "192.168.1.20";
  desk.addresses = [HTTP];
  desk.https = [HTTPS, "https://showdesk.local:7443"];
  desk.put("animals", ANIMAL, { tag: "0412" });
  store = await newStore(desk);
});

afterEach(async () => {
  await phone.engine.stop();
  store.close();
});

async function pageAt(home: string): Promise<void> {
  phone = new TestPhone(desk, store, "tab-1", undefined, undefined, home);
  await phone.engine.start();
  await phone.engine.settled();
}

const edit = () => phone.engine.add({ table: "animals", id: ANIMAL, operation: "update", data: { tag: "0413" } });

test("a page with a certificate follows the laptop by certificates only", async () => {
  await pageAt(HTTPS);
  expect(await store.fact("addresses")).toEqual([HTTPS, "https://showdesk.local:7443"]);
  desk.host = "showdesk.local";
  desk.https = ["https://10.0.0.7:7443", "https://showdesk.local:7443"];
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0, movedTo: "https://showdesk.local:7443" });
  // What was told before is remembered behind what is told now.
  expect(await store.fact("addresses")).toEqual(["https://10.0.0.7:7443", "https://showdesk.local:7443", HTTPS]);
});

test("another name of a laptop that is where it was is no move", async () => {
  await pageAt(HTTPS);
  desk.host = "showdesk.local";
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0, movedTo: null });
});

test("a new address that only the plain question tells is gone to with the certificate", async () => {
  await pageAt(HTTPS);
  desk.https = ["https://192.168.1.20:9443"];
  const known = desk.decide;
  desk.decide = async (request) => {
    if (request.url.startsWith(HTTPS)) throw new TypeError("connection refused");
    return await known(request);
  };
  desk.authorized = [];
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0, movedTo: "https://192.168.1.20:9443" });
});

test("a certificate that the phone does not trust is not a laptop that is away", async () => {
  await pageAt(HTTPS);
  desk.isTrusted = false;
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "away", away: "untrusted", waiting: 1 });
  desk.isTrusted = true;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "near", away: null, waiting: 0 });
});

test("nothing but the question who is there goes to a laptop that is not trusted", async () => {
  await pageAt(HTTPS);
  desk.isTrusted = false;
  desk.authorized = [];
  const asked: string[] = [];
  const known = desk.decide;
  desk.decide = async (request) => {
    asked.push(new URL(request.url).pathname);
    expect(request.headers.get("authorization")).toBeNull();
    return await known(request);
  };
  await edit();
  await phone.engine.settled();
  expect(new Set(asked)).toEqual(new Set(["/api/v1/ping"]));
  expect([desk.authorized, desk.pushes]).toEqual([[], []]);
});

test("a clock that is a day off is named before the certificate is", async () => {
  await pageAt(HTTPS);
  desk.isTrusted = false;
  phone.nowMs += 2 * DAY_MS;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "away", away: "clock_wrong" });
});

test("a laptop that answers nowhere is away, and another one is another one", async () => {
  await pageAt(HTTPS);
  desk.isDown = true;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "away", away: "network" });
  desk.isDown = false;
  desk.isPortal = true;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "away", away: "not_json" });
  desk.isPortal = false;
  desk.installation = "22222222-2222-4222-8222-222222222222";
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "away", away: "other_installation" });
});

test("of two laptops that say they are the show, the one with the phone's rows is taken", async () => {
  desk.addresses = [HTTP, "http://10.0.0.7:7420"];
  await pageAt(HTTP);
  // The old laptop came back with the same show, and the new one is where the phone first looks.
  const copy = new FakeDesk();
  copy.host = desk.host;
  copy.epoch = "e2";
  desk.host = "10.0.0.7";
  desk.addresses = ["http://10.0.0.7:7420"];
  const known = desk.decide;
  desk.decide = async (request) => {
    return new URL(request.url).hostname === copy.host ? await copy.decide(request) : await known(request);
  };
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0, movedTo: "http://10.0.0.7:7420" });
  expect(copy.pushes).toEqual([]);
});

test.each([
  [HTTP, " 192.168.1.57 ", "http://192.168.1.57:7420"],
  [HTTP, "http://192.168.1.57:8000/#/join/abc", "http://192.168.1.57:8000"],
  [HTTPS, "Showdesk-1A.local", "https://showdesk-1a.local:7443"],
  [HTTPS, "http://192.168.1.57", "https://192.168.1.57:7443"],
  [HTTP, "the barn", null],
  [HTTP, "user@192.168.1.57", null],
  [HTTP, "", null],
])("at %s, %j is the address %j", async (home, typed, address) => {
  await pageAt(HTTP);
  expect(await learnAddress(store, home, typed)).toBe(address);
  expect((await store.fact("addresses"))?.includes(address ?? "")).toBe(address !== null);
});

test("entries go to an address that was typed, if it is the same show's", async () => {
  await pageAt(HTTP);
  desk.host = "192.168.1.57";
  desk.addresses = ["http://192.168.1.57:7420"];
  await edit();
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "away", waiting: 1 });
  await learnAddress(store, HTTP, "192.168.1.57");
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0, movedTo: "http://192.168.1.57:7420" });
});

test.each<[string, (there: FakeDesk) => void, object]>([
  ["trusted", () => undefined, { kind: "trusted", address: HTTPS }],
  ["not switched on", (there) => (there.isTrusted = false), { kind: "not_yet" }],
  ["without HTTPS", (there) => (there.https = []), { kind: "no_https" }],
  ["gone", (there) => (there.isDown = true), { kind: "away" }],
  ["another one", (there) => (there.installation = "other"), { kind: "away" }],
])("a page over HTTP finds out that the laptop is %s", async (_, change, expected) => {
  await pageAt(HTTP);
  const { installation } = desk;
  change(desk);
  const ask = (address: string) => askWho(createApi(address, { send: desk.send }));
  expect(await askTrust(ask, HTTP, installation, () => Date.parse(desk.serverTime))).toEqual(expected);
});

test("a phone whose clock is wrong is told what time the laptop has", async () => {
  await pageAt(HTTP);
  desk.isTrusted = false;
  const ask = (address: string) => askWho(createApi(address, { send: desk.send }));
  const laptopMs = Date.parse(desk.serverTime);
  const trust = await askTrust(ask, HTTP, desk.installation, () => laptopMs - 2 * DAY_MS);
  expect(trust).toEqual({ kind: "clock_wrong", laptopMs });
});

test("the name that outlives a change of address is where a phone goes on, if it answers", async () => {
  await pageAt(HTTP);
  const known = desk.decide;
  desk.decide = async (request) => {
    const url = request.url.replace("showdesk.local", desk.host);
    return await known(new Request(url, request));
  };
  const ask = (address: string) => askWho(createApi(address, { send: desk.send }));
  const trust = await askTrust(ask, HTTP, desk.installation, () => Date.parse(desk.serverTime));
  expect(trust).toEqual({ kind: "trusted", address: "https://showdesk.local:7443" });
});
