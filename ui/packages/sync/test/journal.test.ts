// The second copy of the newest entries, for phones that lose the first.

import { expect, test, vi } from "vitest";

import { leaveShow, OtherShowFirst } from "../src/session.ts";
import { ANIMAL, beginWithOnePhone, desk, OTHER, phone, store } from "./beginning.ts";
import { emptyStore, joinAgain, MemoryShelf, TestPhone } from "./fake-desk.ts";

beginWithOnePhone();

const KEY = "journal.11111111-1111-4111-8111-111111111111";

const edit = (pen: string, id: string = ANIMAL) =>
  phone.engine.add({ table: "animals", id, operation: "update", data: { pen } });
const noted = (shelf: MemoryShelf = phone.shelf) =>
  (JSON.parse(shelf.read(KEY) ?? "[]") as { op: { op_id: string; data: { pen?: string } } }[]).map(({ op }) => op);

/** The same phone, whose database is gone and whose small storage is not: it has joined again. */
async function phoneWithoutItsStore(deviceId: string = "device-1"): Promise<TestPhone> {
  await phone.engine.stop();
  const fresh = await joinAgain(emptyStore(), desk, deviceId);
  const again = new TestPhone(desk, fresh, "tab-2", undefined, phone.shelf);
  await again.engine.start();
  await again.engine.settled();
  return again;
}

test("an entry stands in the journal once it is kept, and leaves with the desk's answer", async () => {
  desk.isDown = true;
  const op = await edit("B11");
  await phone.engine.settled();
  expect(noted().map((one) => one.op_id)).toEqual([op.op_id]);
  desk.isDown = false;
  await phone.round();
  expect(noted()).toEqual([]);
});

test("what a phone lost with its database is put back, sent, and sent once", async () => {
  desk.isDown = true;
  const first = await edit("B11");
  const second = await edit("B12");
  await phone.engine.settled();
  desk.isDown = false;
  const again = await phoneWithoutItsStore();
  expect(desk.pushes.flatMap((push) => push.ops.map((op) => op.op_id))).toEqual([first.op_id, second.op_id]);
  expect(desk.rows.get(`animals/${ANIMAL}`)?.data["pen"]).toBe("B12");
  expect(noted(again.shelf)).toEqual([]);
  await again.engine.stop();
});

test("a lost entry goes on under the name of the store that it was made in", async () => {
  const before = await store.fact("incarnation");
  desk.isDown = true;
  await edit("B11");
  await phone.engine.settled();
  desk.isDown = false;
  const again = await phoneWithoutItsStore();
  expect(desk.pushes.map((push) => push.incarnation)).toEqual([before]);
  await again.engine.stop();
});

test("a phone that had to join as a new one sends what it lost in its own name", async () => {
  desk.isDown = true;
  await edit("B11");
  await phone.engine.settled();
  desk.isDown = false;
  const again = await phoneWithoutItsStore("device-2");
  const incarnation = await again.store.fact("incarnation");
  expect(desk.pushes.map((push) => push.incarnation)).toEqual([incarnation]);
  await again.engine.stop();
});

test("while the desk is away what was lost is shown, and noted again as this store's", async () => {
  desk.isDown = true;
  await edit("B11");
  await phone.engine.settled();
  const again = await phoneWithoutItsStore();
  expect(again.engine.status.waiting).toBe(1);
  expect(noted(again.shelf)).toHaveLength(1);
  await again.engine.stop();
});

test("nothing is put back that is still there", async () => {
  desk.isDown = true;
  await edit("B11");
  await phone.engine.settled();
  await phone.engine.rest();
  await phone.engine.start();
  await phone.engine.settled();
  expect(await store.ops.count()).toBe(1);
});

test("the newest fifty are noted", async () => {
  desk.isDown = true;
  for (let i = 0; i < 52; i += 1) await edit(`P${i}`);
  await phone.engine.settled();
  expect(noted().map((op) => op.data.pen)).toEqual(Array.from({ length: 50 }, (_, i) => `P${i + 2}`));
});

test("entries that belong together are noted together or not at all", async () => {
  desk.isDown = true;
  const pen = (id: string, name: string) =>
    ({ table: "animals", id, operation: "update", data: { pen: name } }) as const;
  await phone.engine.addTogether([pen(ANIMAL, "A1"), pen(OTHER, "A2")]);
  for (let i = 0; i < 49; i += 1) await edit(`P${i}`);
  await phone.engine.settled();
  expect(noted().map((op) => op.data.pen)).not.toContain("A2");
  expect(noted()).toHaveLength(49);
});

test("an entry that was not kept is not noted either", async () => {
  const full = new DOMException("full", "QuotaExceededError");
  vi.spyOn(store.ops, "add").mockImplementation(() => Promise.reject(full) as never);
  await expect(edit("B11")).rejects.toThrow();
  expect(noted()).toEqual([]);
});

test("a journal that says nothing readable takes nothing away", async () => {
  phone.shelf.write(KEY, '[{"op":');
  await phone.engine.rest();
  desk.isDown = true;
  await phone.engine.start();
  await edit("B11");
  await phone.engine.settled();
  expect(phone.engine.status.waiting).toBe(1);
  expect(noted()).toHaveLength(1);
});

test("a show is left only when nothing of it is here alone", async () => {
  desk.isDown = true;
  await edit("B11");
  await phone.engine.settled();
  await expect(leaveShow(store)).rejects.toThrow(OtherShowFirst);
  expect(await store.ops.count()).toBe(1);
  desk.isDown = false;
  await phone.round();
  await phone.engine.rest();
  await leaveShow(store);
  await phone.engine.refresh();
  expect(await store.fact("session")).toBeUndefined();
  expect(phone.engine.view.row("animals", ANIMAL)).toBeUndefined();
  expect(phone.engine.status).toMatchObject({ waiting: 0, lastSentMs: null });
});
