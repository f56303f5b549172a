// A phone goes on at a page with another storage: what the pass in the address is worth, and when it may be made.

import { createApi } from "@showdesk/api";
import { beforeEach, expect, test } from "vitest";

import { FinishFirst, passForMove, takeOver } from "../src/move.ts";
import { addEntry } from "../src/outbox.ts";
import { OtherShowFirst } from "../src/session.ts";
import type { Store } from "../src/store.ts";
import { emptyStore, FakeDesk, newStore } from "./fake-desk.ts";

const ANIMAL = "0190a000-0000-7000-8000-000000000001";
const THERE = { to: "page", address: "https://desk.test:7443" } as const;
const ME = {
  device_id: "device-1",
  name: "Maria's phone",
  person: { id: "maria", name: "Maria Lopez" },
  functions: ["scale"],
  permissions: ["weigh"],
  expires_at: null,
  file_asked_at: null,
};

let desk: FakeDesk;
let store: Store;

beforeEach(async () => {
  desk = new FakeDesk();
  desk.me = ME;
  store = await newStore(desk);
});

const withPass = (token: string) => createApi("http://desk.test", { token: () => token, send: desk.send });
const enter = () => addEntry(store, { table: "animals", id: ANIMAL, operation: "insert", data: { tag: "1" } }, 1);

test("no pass is asked for while an entry is only here", async () => {
  await enter();
  await expect(passForMove(withPass("lsd_token"), store, THERE)).rejects.toThrow(FinishFirst);
  expect(desk.authorized).toEqual([]);
  expect(await store.fact("moved_on")).toBeUndefined();
});

test("an entry that is made while the desk is asked keeps the phone here", async () => {
  const api = createApi("http://desk.test", {
    send: async (request) => {
      await enter();
      return await desk.send(request);
    },
  });
  await expect(passForMove(api, store, THERE)).rejects.toThrow(FinishFirst);
  expect(await store.fact("moved_on")).toBeUndefined();
});

test("the page before keeps its own pass, and knows where the phone went on", async () => {
  desk.token = "lsd_carried";
  expect(await passForMove(withPass("lsd_token"), store, THERE)).toBe("lsd_carried");
  expect((await store.fact("session"))?.token).toBe("lsd_token");
  expect(await store.fact("moved_on")).toEqual(THERE);
});

test("the new page keeps another pass than the one that stood in its address", async () => {
  const fresh = emptyStore();
  desk.token = "lsd_kept";
  const session = await takeOver(withPass("lsd_carried"), "lsd_carried", fresh, 1_000);
  expect(session).toMatchObject({ token: "lsd_kept", device_id: "device-1", token_at_ms: 1_000, functions: ["scale"] });
  expect(await fresh.fact("session")).toEqual(session);
  expect(await fresh.fact("epoch")).toBe("e1");
  // The one that was carried asked for it, and is the last that was ever shown with it.
  expect([...desk.tokens]).toEqual(["Bearer lsd_carried"]);
});

test("a pass that the desk does not know makes no session", async () => {
  const fresh = emptyStore();
  desk.refusal = { status: 401, body: { code: "unknown_token" } };
  await expect(takeOver(withPass("lsd_stale"), "lsd_stale", fresh, 1_000)).rejects.toThrow();
  expect(await fresh.fact("session")).toBeUndefined();
});

test("what another phone left here is neither seen nor sent as this one's", async () => {
  desk.me = { ...ME, device_id: "device-2", person: { id: "ben", name: "Ben Ito" } };
  await store.setFact("complete", true);
  await takeOver(withPass("lsd_of_ben"), "lsd_of_ben", store, 1_000);
  expect((await store.fact("session"))?.person.name).toBe("Ben Ito");
  expect(await store.fact("complete")).toBeUndefined();
  expect(await store.fact("taken_pass")).toBe("lsd_of_ben");
});

test("entries of another person that are still here keep the page theirs", async () => {
  await enter();
  desk.me = { ...ME, device_id: "device-2", person: { id: "ben", name: "Ben Ito" } };
  await expect(takeOver(withPass("lsd_of_ben"), "lsd_of_ben", store, 1_000)).rejects.toThrow(OtherShowFirst);
  expect((await store.fact("session"))?.token).toBe("lsd_token");
  // No other pass was asked for, so this one still opens the page once they are sent.
  expect(desk.authorized).not.toContain("/api/v1/me/token");
});

test("entries of another show that are still here keep the phone in it", async () => {
  await enter();
  desk.installation = "22222222-2222-4222-8222-222222222222";
  await expect(takeOver(withPass("lsd_carried"), "lsd_carried", store, 1_000)).rejects.toThrow(OtherShowFirst);
  expect((await store.fact("session"))?.token).toBe("lsd_token");
});
