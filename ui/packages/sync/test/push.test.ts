// What is sent, in which requests, and what one bad entry may do to the others: nothing.

import { expect, test } from "vitest";

import { TogetherTooLarge, type Draft } from "../src/outbox.ts";
import { nextSendMs } from "../src/status.ts";
import type { StoredOp } from "../src/store.ts";
import { ANIMAL, beginWithOnePhone, desk, phone, store } from "./beginning.ts";
import type { SentOp } from "./fake-desk.ts";

beginWithOnePhone((there) => {
  for (let i = 0; i < 8; i += 1) there.put("animals", animal(i), { tag: `040${i}`, pen: "B10" });
});

const animal = (i: number) => `${ANIMAL.slice(0, -1)}${i}`;
const draft = (i: number, pen: string): Draft => ({
  table: "animals",
  id: animal(i),
  operation: "update",
  data: { pen },
});
const states = async () => (await store.ops.orderBy("device_seq").toArray()).map((op) => op.state);
const sizes = () => desk.pushes.map((push) => push.ops.length);

/** Entries on different animals, made while the desk is away. */
async function addWhileAway(count: number): Promise<StoredOp[]> {
  desk.isDown = true;
  const ops: StoredOp[] = [];
  for (let i = 0; i < count; i += 1) ops.push(await phone.engine.add(draft(i, "C1")));
  await phone.engine.settled();
  desk.isDown = false;
  return ops;
}

/** Refuses any request that has this entry in it. */
const spoiledBy = (opId: string | undefined, status: number) => (ops: readonly SentOp[]) =>
  ops.some((op) => op.op_id === opId) ? { status, body: { code: "unreadable", detail: "Cannot be read." } } : null;

test.each([400, 413, 500])("an entry that spoils its request with %i keeps no other back", async (status) => {
  const ops = await addWhileAway(8);
  desk.refusePush = spoiledBy(ops[2]?.op_id, status);
  await phone.round();
  expect((await states()).map((state) => state === "done")).toEqual([true, true, false, true, true, true, true, true]);
  expect(phone.engine.status).toMatchObject({ waiting: 1, link: "near", trouble: { code: "unreadable" } });
});

test("the entry that was set aside is tried again later, less and less often, and never dropped", async () => {
  const [op] = await addWhileAway(1);
  desk.refusePush = spoiledBy(op?.op_id, 500);
  const waits: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    await phone.round();
    const stored = await store.ops.get(op?.op_id ?? "");
    waits.push((stored?.not_before_ms ?? 0) - phone.nowMs);
    phone.nowMs += waits.at(-1) ?? 0;
  }
  expect(waits).toEqual([16_000, 17_000, 19_000, 23_000]);
  desk.refusePush = () => null;
  await phone.round();
  expect(await states()).toEqual(["done"]);
  expect(phone.engine.status.trouble).toBeNull();
});

test("an entry on which the way breaks each time is passed by the others", async () => {
  const ops = await addWhileAway(2);
  desk.refusePush = (sent) => {
    if (sent.some((op) => op.op_id === ops[0]?.op_id)) throw new TypeError("connection reset");
    return null;
  };
  for (let i = 0; i < 4; i += 1) await phone.round();
  expect(await states()).toEqual(["waiting", "done"]);
});

test("requests are smaller after a failure, and grow again", async () => {
  await addWhileAway(8);
  let failures = 2;
  desk.refusePush = () => {
    failures -= 1;
    if (failures >= 0) throw new TypeError("connection reset");
    return null;
  };
  for (let i = 0; i < 3; i += 1) await phone.round();
  expect(sizes()).toEqual([2, 2, 2, 2]);
  await addWhileAway(8);
  await phone.round();
  expect(sizes().slice(4)).toEqual([4, 4]);
});

test("a request is measured in bytes, not in letters", async () => {
  desk.isDown = true;
  const note = "牛".repeat(100_000);
  for (let i = 0; i < 6; i += 1) {
    await phone.engine.add({ table: "animals", id: animal(i), operation: "update", data: { note } });
  }
  await phone.engine.settled();
  desk.isDown = false;
  await phone.round();
  expect(sizes()).toEqual([2, 2, 2]);
});

test("half a character is not sent: it would spoil the whole request", async () => {
  const op = await phone.engine.add({ ...draft(0, "C\ud83d1"), reason: "\udc02" });
  expect(op).toMatchObject({ data: { pen: "C\ufffd1" }, reason: "\ufffd" });
  expect((await phone.engine.add(draft(1, "🐂"))).data).toEqual({ pen: "🐂" });
});

test("entries made under an old token are sent under the present one", async () => {
  await addWhileAway(1);
  phone.token = "lsd_new";
  desk.tokens.clear();
  await phone.round();
  expect(await states()).toEqual(["done"]);
  expect([...desk.tokens]).toEqual(["Bearer lsd_new"]);
  expect(JSON.stringify(await store.ops.toArray())).not.toContain("lsd_");
});

test("entries that belong together are sent in one request, whatever its limit", async () => {
  desk.isDown = true;
  await phone.engine.add(draft(0, "C1"));
  const group = await phone.engine.addTogether([1, 2, 3, 4].map((i) => draft(i, "C2")));
  await phone.engine.add(draft(5, "C3"));
  await phone.engine.settled();
  expect(new Set(group.map((op) => op.txn?.id)).size).toBe(1);
  expect(group.map((op) => op.txn?.size)).toEqual([4, 4, 4, 4]);
  desk.isDown = false;
  desk.refusePush = (sent) => (sent.length > 4 ? { status: 413, body: { code: "body_too_large" } } : null);
  await phone.round();
  const withGroup = desk.pushes.filter((push) => push.ops.some((op) => op.txn !== null));
  expect(withGroup.map((push) => push.ops.filter((op) => op.txn !== null).length)).toEqual([4]);
  expect(new Set(await states())).toEqual(new Set(["done"]));
});

test("a group that spoils its request is set aside whole", async () => {
  desk.isDown = true;
  const group = await phone.engine.addTogether([0, 1].map((i) => draft(i, "C2")));
  await phone.engine.add(draft(2, "C3"));
  await phone.engine.settled();
  desk.isDown = false;
  desk.refusePush = spoiledBy(group[1]?.op_id, 400);
  await phone.round();
  expect(await states()).toEqual(["waiting", "waiting", "done"]);
});

test("a group whose answer came half is sent whole again", async () => {
  desk.isDown = true;
  const group = await phone.engine.addTogether([0, 1, 2].map((i) => draft(i, "C2")));
  await phone.engine.settled();
  desk.isDown = false;
  desk.verdict = (op) => (op.op_id === group[1]?.op_id ? { op_id: op.op_id, verdict: "marvellous" } : null);
  await phone.round();
  expect(await states()).toEqual(["done", "waiting", "done"]);
  desk.results.delete(group[1]?.op_id ?? "");
  desk.verdict = () => null;
  phone.nowMs += 60_000;
  await phone.round();
  expect(sizes()).toEqual([3, 3]);
  expect(await states()).toEqual(["done", "done", "done"]);
});

test("a group that fits into no request is not stored at all", async () => {
  const many = Array.from({ length: 501 }, () => draft(0, "C1"));
  await expect(phone.engine.addTogether(many)).rejects.toThrow(TogetherTooLarge);
  const large = [0, 1].map((i) => ({ ...draft(i, "C1"), data: { note: "x".repeat(500_000) } }));
  await expect(phone.engine.addTogether(large)).rejects.toThrow(TogetherTooLarge);
  expect(await store.ops.count()).toBe(0);
});

test("a held entry is kept and not sent again, until the desk has forgotten it", async () => {
  const [op] = await addWhileAway(1);
  desk.verdict = (sent) => ({
    op_id: sent.op_id,
    verdict: "held",
    waiting_for: "0190a000-0000-7000-8000-0000000000ff",
  });
  await phone.round();
  await phone.round();
  expect(sizes()).toEqual([1]);
  expect(await store.ops.get(op?.op_id ?? "")).toMatchObject({ state: "held", waiting_for: expect.any(String) });
  expect(phone.engine.status.waiting).toBe(1);
  desk.results.set(op?.op_id ?? "", { op_id: op?.op_id, verdict: "held", conflict_id: "c1" });
  await phone.round();
  expect(await store.ops.get(op?.op_id ?? "")).toMatchObject({ conflict_id: "c1", waiting_for: null });
  expect(phone.engine.status).toMatchObject({ waiting: 0, checking: 1 });
  desk.verdict = () => null;
  desk.results.clear();
  await phone.round();
  await phone.round();
  expect(sizes()).toEqual([1, 1]);
  expect(await states()).toEqual(["done"]);
});

test("a refused entry that the desk applied after all is adopted, even when its author had seen the refusal", async () => {
  desk.verdict = (sent) => ({ op_id: sent.op_id, verdict: "rejected", error: { code: "locked", detail: "" } });
  const op = await phone.engine.add(draft(0, "C1"));
  await phone.engine.settled();
  await store.ops.update(op.op_id, { dismissed: true });
  desk.results.clear();
  await phone.round();
  expect(await states()).toEqual(["rejected"]);
  desk.put("animals", animal(0), { tag: "0400", pen: "C1" });
  desk.results.set(op.op_id, { op_id: op.op_id, verdict: "applied", version: 2, replayed: true });
  await phone.round();
  expect(await states()).toEqual(["done"]);
  expect(phone.engine.view.row("animals", animal(0))?.data["pen"]).toBe("C1");
});

test("an entry whose id the desk has from somebody else is refused once, not for ever", async () => {
  // Somebody has taken in this phone's rescue copy and sent it: the desk keeps nothing for this phone.
  desk.verdict = (sent) => ({ op_id: sent.op_id, verdict: "rejected", error: { code: "op_id_reused", detail: "" } });
  await addWhileAway(1);
  for (let i = 0; i < 3; i += 1) {
    desk.results.clear();
    await phone.round();
  }
  expect(sizes()).toEqual([1]);
  expect(await states()).toEqual(["rejected"]);
  expect(phone.engine.status).toMatchObject({ waiting: 0, checking: 1 });
});

test("each open entry is asked about, however many there are", async () => {
  desk.isDown = true;
  const [op] = await Promise.all([phone.engine.add(draft(0, "C1"))]);
  await phone.engine.settled();
  const many = Array.from({ length: 1_203 }, (_, i): StoredOp => ({ ...op, op_id: `held-${i}`, state: "held" }));
  await store.ops.bulkPut(many);
  for (const one of many) desk.results.set(one.op_id, { op_id: one.op_id, verdict: "noop", version: 1 });
  desk.isDown = false;
  await phone.round();
  expect(await store.ops.where("state").equals("held").count()).toBe(0);
  expect(desk.authorized.filter((path) => path === "/sync/ops/status")).toHaveLength(3);
});

test("when the phone dies before it has stored the answer, nothing of the answer is stored, and all of it is given again", async () => {
  await addWhileAway(2);
  const die = () => {
    throw new Error("the phone died");
  };
  store.rows.hook("updating", die);
  await phone.round();
  store.rows.hook("updating").unsubscribe(die);
  expect(await states()).toEqual(["waiting", "waiting"]);
  expect((await store.rows.get(["animals", animal(0)]))?.data["pen"]).toBe("B10");
  await phone.round();
  expect(await states()).toEqual(["done", "done"]);
  expect(desk.rows.get(`animals/${animal(0)}`)?.version).toBe(2);
  expect(phone.engine.view.row("animals", animal(0))).toMatchObject({ version: 2, data: { pen: "C1" } });
});

test("while the desk asks for quiet, not even a new entry breaks it", async () => {
  desk.refusal = { status: 429, body: { code: "too_many" }, headers: { "retry-after": "7" } };
  await phone.round();
  desk.refusal = null;
  const before = desk.authorized.length;
  await phone.engine.add(draft(0, "C1"));
  await phone.engine.settled();
  expect(desk.authorized).toHaveLength(before);
  expect(await states()).toEqual(["waiting"]);
  // Seven seconds of the desk's, one of the phone's own.
  phone.nowMs += 8_000;
  await phone.round();
  expect(await states()).toEqual(["done"]);
});

test("a clock that was set back does not keep entries here", async () => {
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "retry", after_ms: 60_000 });
  await phone.engine.add(draft(0, "C1"));
  await phone.engine.settled();
  desk.verdict = () => null;
  phone.nowMs -= 24 * 3_600_000;
  await phone.round();
  expect(await states()).toEqual(["done"]);
});

test("the next try comes when the next entry may be sent", async () => {
  const [ready, soon, later] = await addWhileAway(3);
  await store.ops.update(soon?.op_id ?? "", { not_before_ms: phone.nowMs + 2_000 });
  await store.ops.update(later?.op_id ?? "", { not_before_ms: phone.nowMs + 9_000 });
  expect(ready?.not_before_ms).toBe(0);
  expect(await nextSendMs(store, phone.nowMs)).toBe(2_000);
  await store.ops.clear();
  expect(await nextSendMs(store, phone.nowMs)).toBe(Number.POSITIVE_INFINITY);
});

test("a full laptop keeps the queue and says so", async () => {
  desk.refusal = { status: 507, body: { code: "disk_full" } };
  await phone.engine.add(draft(0, "C1"));
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ access: "full", waiting: 1, link: "near" });
  desk.isDown = true;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ access: "ok", waiting: 1, link: "away" });
  desk.isDown = false;
  desk.refusal = null;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ access: "ok", waiting: 0 });
});
