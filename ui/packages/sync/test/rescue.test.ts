// A copy of what is unsent, carried to the desk another way.

import { beforeEach, expect, test } from "vitest";

import { addEntry, addTogether } from "../src/outbox.ts";
import {
  exportRescue,
  joinRescueParts,
  readRescue,
  rescueParts,
  RescueUnreadable,
  takeIn,
  type Rescue,
} from "../src/rescue.ts";
import type { Store } from "../src/store.ts";
import { FakeDesk, newStore, TestPhone, type SentOp } from "./fake-desk.ts";

const ANIMAL = "0190a000-0000-7000-8000-000000000001";
const OTHER = "0190a000-0000-7000-8000-000000000002";
const NOW = 1_700_000_000_000;

let desk: FakeDesk;
let store: Store;

beforeEach(async () => {
  desk = new FakeDesk();
  store = await phoneStore();
});

/** A phone that has both animals and is away. */
async function phoneStore(deviceId = "device-1"): Promise<Store> {
  const made = await newStore(desk);
  const session = await made.fact("session");
  if (session) await made.setFact("session", { ...session, device_id: deviceId });
  const row = { version: 3, seq: 3, disputed: [], kept_from: null };
  await made.rows.put({ ...row, table: "animals", id: ANIMAL, data: { tag: "0412", pen: "B10" } });
  await made.rows.put({ ...row, table: "animals", id: OTHER, data: { tag: "0500", pen: "C1" } });
  await made.setFact("rows_epoch", "e1");
  return made;
}

const edit = (data: Record<string, unknown>, id = ANIMAL, to = store) =>
  addEntry(to, { table: "animals", id, operation: "update", data }, NOW);

async function copyOf(from: Store = store): Promise<string> {
  const text = await exportRescue(from, NOW);
  if (text === null) throw new Error("nothing to copy");
  return text;
}

function faultOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error instanceof RescueUnreadable ? error.fault : error;
  }
  return undefined;
}

/** What a phone with this store pushes when it meets the desk. */
async function pushedBy(from: Store): Promise<FakeDesk["pushes"]> {
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B10" });
  desk.put("animals", OTHER, { tag: "0500", pen: "C1" });
  const phone = new TestPhone(desk, from);
  await phone.engine.start();
  await phone.engine.settled();
  await phone.engine.stop();
  return desk.pushes;
}

test("a copy holds what would be pushed, exactly, and where it comes from", async () => {
  await edit({ tag: "0413" });
  await edit({ pen: "B11" });
  await addTogether(store, [{ table: "animals", id: OTHER, operation: "update", data: { pen: "C2" } }], NOW);
  const copy = readRescue(await copyOf());
  expect(copy).toMatchObject({
    made_at: "2023-11-14T22:13:20.000Z",
    installation_id: desk.installation,
    device_id: "device-1",
    person: { name: "Maria Lopez" },
    epoch: "e1",
    schema: 1,
  });
  const [pushed] = await pushedBy(store);
  expect(copy.pushes).toEqual([
    {
      incarnation: pushed?.incarnation,
      recovered_from: null,
      ops: pushed?.ops as unknown as Rescue["pushes"][0]["ops"],
    },
  ]);
});

test("with nothing unsent there is nothing to copy", async () => {
  expect(await exportRescue(store, NOW)).toBeNull();
  const op = await edit({ tag: "0413" });
  await store.ops.update(op.op_id, { state: "done" });
  expect(await exportRescue(store, NOW)).toBeNull();
});

test("the token is never part of a copy", async () => {
  await edit({ tag: "0413" });
  expect(await copyOf()).not.toContain("lsd_");
});

test("each character of a copy is one byte, and every letter comes back", async () => {
  await edit({ tag: "Ä→🐂\u2028\u007f" });
  const text = await copyOf();
  expect(text).toMatch(/^[\x20-\x7e]*$/);
  expect(readRescue(text).pushes[0]?.ops[0]?.data["tag"]).toBe("Ä→🐂\u2028\u007f");
});

test("a copy in which anything was changed is not read", async () => {
  await edit({ tag: "0413" });
  const text = await copyOf();
  expect(faultOf(() => readRescue(text.replace("0413", "0414")))).toBe("damaged");
  expect(faultOf(() => readRescue(text.replace("device-1", "device-2")))).toBe("damaged");
  expect(faultOf(() => readRescue(text.slice(0, -1)))).toBe("not_a_copy");
  expect(faultOf(() => readRescue("{}"))).toBe("not_a_copy");
  expect(faultOf(() => readRescue('"x"'))).toBe("not_a_copy");
  expect(faultOf(() => readRescue(text.replace('"version":1', '"version":2')))).toBe("newer");
  // A reader may lay it out anew: the checksum is about what it says.
  expect(readRescue(JSON.stringify(JSON.parse(text), null, 2)).pushes).toHaveLength(1);
});

test("a copy that says impossible things is not read, even with the right checksum", async () => {
  await edit({ tag: "0413" });
  const { checksum } = await import("../src/canonical.ts");
  const { sha256, ...copy } = JSON.parse(await copyOf()) as Record<string, unknown>;
  expect(sha256).toBe(checksum(copy));
  const bad = { ...copy, pushes: [{ incarnation: "i", recovered_from: null, ops: [{ op_id: 5 }] }] };
  expect(faultOf(() => readRescue(JSON.stringify({ ...bad, sha256: checksum(bad) })))).toBe("damaged");
});

test("parts are short enough for a code, and make the copy again in any order", async () => {
  for (let i = 0; i < 6; i += 1) await edit({ pen: `B${i}`, note: "é".repeat(50) });
  const text = await copyOf();
  const parts = rescueParts(text);
  expect(parts.length).toBeGreaterThan(3);
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(590);
  const shuffled = [...parts.slice(2), ...parts.slice(0, 2), ...parts.slice(1, 3)];
  expect(joinRescueParts(shuffled)).toEqual({ text });
  expect(joinRescueParts(parts.filter((_, i) => i !== 1 && i !== 2))).toEqual({ missing: [2, 3] });
  expect(joinRescueParts([])).toEqual({ missing: [] });
});

test("parts of two copies do not mix, and a wrong letter is found", async () => {
  await edit({ pen: "B1" });
  const one = rescueParts(await copyOf());
  await edit({ pen: "B2" });
  const two = rescueParts(await copyOf());
  expect(faultOf(() => joinRescueParts([one[0] ?? "", two[1] ?? ""]))).toBe("damaged");
  expect(faultOf(() => joinRescueParts(one.map((part) => part.replace("B1", "B7"))))).toBe("damaged");
  expect(faultOf(() => joinRescueParts(["https://example.org"]))).toBe("not_a_copy");
});

test("taken in on another phone, entries keep their ids and are sent in the order they were made", async () => {
  const ops = [await edit({ tag: "0413" }), await edit({ pen: "B11" }), await edit({ pen: "C9" }, OTHER)];
  const other = await phoneStore("device-2");
  const own = await edit({ pen: "B12" }, ANIMAL, other);
  const copy = readRescue(await copyOf());
  expect(await takeIn(other, copy)).toEqual({ added: 3, known: 0 });
  const [push] = await pushedBy(other);
  expect(push?.incarnation).toBe(await other.fact("incarnation"));
  const sent = push?.ops.map((op: SentOp) => [op.device_seq, op.op_id, op.prev_op_id]);
  expect(sent).toEqual([
    [1, own.op_id, null],
    [2, ops[0]?.op_id, null],
    [3, ops[1]?.op_id, ops[0]?.op_id],
    [4, ops[2]?.op_id, null],
  ]);
  expect((await other.ops.toArray()).every((op) => op.state === "done")).toBe(true);
});

test("on another phone an entry does not build on one that only the first phone has sent", async () => {
  const sent = await edit({ tag: "0413" });
  await store.ops.update(sent.op_id, { state: "conflict", conflict_id: "c1" });
  const unsent = await edit({ pen: "B11" });
  expect(unsent.prev_op_id).toBe(sent.op_id);
  const copy = readRescue(await copyOf());
  const other = await phoneStore("device-2");
  await takeIn(other, copy);
  expect(await other.ops.get(unsent.op_id)).toMatchObject({ prev_op_id: null, base: { pen: "B10" }, epoch: "e1" });
  // The same phone with a new store goes on as its old one.
  const again = await phoneStore("device-1");
  await takeIn(again, copy);
  expect(await again.ops.get(unsent.op_id)).toMatchObject({
    prev_op_id: sent.op_id,
    incarnation: await store.fact("incarnation"),
  });
  const [push] = await pushedBy(again);
  expect(push?.incarnation).toBe(await store.fact("incarnation"));
});

test("entries of an old store and of this one travel in requests of their own, and their chains do not cross", async () => {
  await edit({ tag: "0413" });
  const again = await phoneStore("device-1");
  await takeIn(again, readRescue(await copyOf()));
  const own = await edit({ tag: "0414" }, ANIMAL, again);
  expect(own.prev_op_id).toBeNull();
  const pushes = await pushedBy(again);
  expect(pushes.map((push) => push.incarnation)).toEqual([
    await store.fact("incarnation"),
    await again.fact("incarnation"),
  ]);
});

test("a copy taken in twice adds nothing the second time", async () => {
  await edit({ tag: "0413" });
  const copy = readRescue(await copyOf());
  const other = await phoneStore("device-2");
  expect(await takeIn(other, copy)).toEqual({ added: 1, known: 0 });
  expect(await takeIn(other, copy)).toEqual({ added: 0, known: 1 });
  expect(await takeIn(store, copy)).toEqual({ added: 0, known: 1 });
});

test("a copy of another show is not taken in", async () => {
  await edit({ tag: "0413" });
  const copy = { ...readRescue(await copyOf()), installation_id: "22222222-2222-4222-8222-222222222222" };
  const other = await phoneStore("device-2");
  await expect(takeIn(other, copy)).rejects.toMatchObject({ fault: "other_show" });
  expect(await other.ops.count()).toBe(0);
});

test("what a restored desk has lost stays marked as that", async () => {
  const op = await edit({ tag: "0413" });
  await edit({ pen: "B11" });
  await store.ops.update(op.op_id, { recovered_from: "e0", epoch: "e0" });
  const copy = readRescue(await copyOf());
  expect(copy.pushes.map((push) => [push.recovered_from, push.ops.map((one) => one.epoch)])).toEqual([
    ["e0", ["e0"]],
    [null, [null]],
  ]);
  const other = await phoneStore("device-2");
  await takeIn(other, copy);
  expect((await other.ops.orderBy("device_seq").toArray()).map((one) => [one.recovered_from, one.epoch])).toEqual([
    ["e0", "e0"],
    [null, "e1"],
  ]);
});
