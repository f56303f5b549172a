// The desk was restored from a backup: what the phone keeps, gives back and takes anew, whenever it dies meanwhile.

import { expect, onTestFinished, test } from "vitest";

import { giveBack } from "../src/recover.ts";
import type { Store } from "../src/store.ts";
import { FakeDesk, newStore, TestPhone } from "./fake-desk.ts";

const ANIMAL = "0190a000-0000-7000-8000-000000000001";
const OTHER = "0190a000-0000-7000-8000-000000000002";
const LATER = "0190a000-0000-7000-8000-000000000003";

interface Joined {
  readonly desk: FakeDesk;
  readonly store: Store;
  phone: TestPhone;
}

async function joined(): Promise<Joined> {
  const desk = new FakeDesk();
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B10" });
  desk.put("animals", OTHER, { tag: "0500", pen: "C1" });
  const store = await newStore(desk);
  const phone = new TestPhone(desk, store);
  await phone.engine.start();
  await phone.engine.settled();
  const all: Joined = { desk, store, phone };
  onTestFinished(async () => {
    await all.phone.engine.stop();
    store.close();
  });
  return all;
}

const edit = (phone: TestPhone, id: string, data: Record<string, unknown>) =>
  phone.engine.add({ table: "animals", id, operation: "update", data });
const here = (phone: TestPhone, id: string) => phone.engine.view.row("animals", id)?.data;

/** The desk as its backup remembers it: two animals, and none of these entries. */
function restore(desk: FakeDesk, epoch: string, lost: readonly string[]): void {
  desk.epoch = epoch;
  for (const opId of lost) desk.results.delete(opId);
  desk.rows.clear();
  desk.clock = 0;
  desk.pushes = [];
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B10" });
  desk.put("animals", OTHER, { tag: "0500", pen: "C1" });
}

async function whileAway(all: Joined, work: () => Promise<void>): Promise<void> {
  all.desk.isDown = true;
  await work();
  await all.phone.engine.settled();
  all.desk.isDown = false;
}

/** One entry that the desk acknowledged and lost, one that waits, and a row that the desk has forgotten. */
async function lostAndUnsent(all: Joined) {
  const { desk, phone } = all;
  desk.put("animals", LATER, { tag: "0600", pen: "D1" });
  const lost = await edit(phone, ANIMAL, { tag: "0413" });
  await phone.engine.settled();
  await phone.round();
  let unsent = lost;
  await whileAway(all, async () => {
    unsent = await edit(phone, OTHER, { tag: "0501" });
  });
  restore(desk, "e2", [lost.op_id]);
  return { lost, unsent };
}

function expectGivenBack({ desk, phone }: Joined, lost: string, unsent: string): void {
  const sent = desk.pushes.flatMap(({ recovered_from, epoch, ops }) =>
    ops.map((op) => [op.op_id, recovered_from, epoch, op.epoch] as const),
  );
  // Sent again after an answer that was lost, each as before; never the second before the first.
  expect([...new Set(sent.map((one) => one.join()))]).toEqual([
    [lost, "e1", "e2", "e1"].join(),
    [unsent, null, "e2", "e1"].join(),
  ]);
  expect([here(phone, ANIMAL)?.["tag"], here(phone, OTHER)?.["tag"], here(phone, LATER)]).toEqual([
    "0413",
    "0501",
    undefined,
  ]);
  expect(phone.engine.status).toMatchObject({ waiting: 0, access: "ok", trouble: null });
}

test("the phone takes the rows anew, gives back what was lost, then sends what waits", async () => {
  const all = await joined();
  const { lost, unsent } = await lostAndUnsent(all);
  await all.phone.round();
  expectGivenBack(all, lost.op_id, unsent.op_id);
  expect((await all.store.rows.get(["animals", ANIMAL]))?.version).toBe(2);
});

test("whichever request the line breaks at, the next try goes on", async () => {
  let requests = 0;
  for (let breaksAt = 1; breaksAt === 1 || breaksAt <= requests; breaksAt += 1) {
    const all = await joined();
    const { lost, unsent } = await lostAndUnsent(all);
    const send = all.desk.decide;
    requests = 0;
    all.desk.decide = async (request) => {
      requests += 1;
      const response = await send(request);
      // The desk has done its work; the answer is lost.
      if (requests === breaksAt) throw new TypeError("connection reset");
      return response;
    };
    await all.phone.round();
    await all.phone.engine.stop();
    all.phone = new TestPhone(all.desk, all.store);
    await all.phone.engine.start();
    await all.phone.engine.settled();
    await all.phone.round();
    expectGivenBack(all, lost.op_id, unsent.op_id);
  }
  expect(requests).toBeGreaterThan(5);
});

test("whichever write the phone dies at, the next start goes on", async () => {
  let survived = 0;
  for (let diesAt = 1; survived === 0 && diesAt < 200; diesAt += 1) {
    const all = await joined();
    const { lost, unsent } = await lostAndUnsent(all);
    let writes = 0;
    const revive = onEachWrite(all.store, () => {
      writes += 1;
      // A dead phone writes nothing more.
      if (writes >= diesAt) throw new Error("the phone died");
    });
    await all.phone.round();
    revive();
    await all.phone.engine.stop();
    all.phone = new TestPhone(all.desk, all.store);
    await all.phone.engine.start();
    await all.phone.engine.settled();
    // An entry whose answer could not be stored is not sent at once again.
    all.phone.nowMs += 60_000;
    await all.phone.round();
    expectGivenBack(all, lost.op_id, unsent.op_id);
    if (writes < diesAt) survived = diesAt;
  }
  expect(survived).toBeGreaterThan(15);
}, 60_000);

/** Calls `before` ahead of each write until the returned function is called. */
function onEachWrite(store: Store, before: () => void): () => void {
  const tables = [store.rows, store.incoming, store.ops, store.facts, store.checks];
  for (const table of tables) {
    table.hook("creating", before);
    table.hook("updating", before);
    table.hook("deleting", before);
  }
  return () => {
    for (const table of tables) {
      table.hook("creating").unsubscribe(before);
      table.hook("updating").unsubscribe(before);
      table.hook("deleting").unsubscribe(before);
    }
  };
}

test("what was lost goes before what waits, even if it was made later", async () => {
  const all = await joined();
  all.desk.verdict = (op) => (op.record_id === OTHER ? { op_id: op.op_id, verdict: "retry", after_ms: 1_000 } : null);
  const unsent = await edit(all.phone, OTHER, { tag: "0501" });
  const lost = await edit(all.phone, ANIMAL, { tag: "0413" });
  await all.phone.engine.settled();
  restore(all.desk, "e2", [lost.op_id]);
  all.desk.verdict = () => null;
  all.phone.nowMs += 60_000;
  await all.phone.round();
  expectGivenBack(all, lost.op_id, unsent.op_id);
});

test("nothing is given back before the rows are whole", async () => {
  const { desk, store, phone } = await joined();
  await edit(phone, ANIMAL, { tag: "0413" });
  await phone.engine.settled();
  desk.authorized = [];
  await store.setFact("recover_from", "e0");
  // Another tab is still taking them.
  await store.setFact("reconcile", { cursor: "e1@1" });
  expect(await giveBack(phone.api, store, { nowMs: phone.nowMs, random: () => 0 })).toEqual([]);
  expect(desk.authorized).toEqual([]);
  expect(await store.fact("recover_from")).toBe("e0");
});

test("rows are shown as the restored desk has them, lower versions included", async () => {
  const all = await joined();
  for (const pen of ["1", "2", "3"]) all.desk.put("animals", ANIMAL, { tag: "0412", pen });
  await all.phone.round();
  expect((await all.store.rows.get(["animals", ANIMAL]))?.version).toBe(4);
  restore(all.desk, "e2", []);
  await all.phone.round();
  expect(await all.store.rows.get(["animals", ANIMAL])).toMatchObject({ version: 1, data: { pen: "B10" } });
  expect(await edit(all.phone, ANIMAL, { pen: "B11" })).toMatchObject({ base_version: 1, epoch: "e2" });
  await all.phone.engine.settled();
  expect(all.desk.pushes.at(-1)?.ops[0]?.epoch).toBeNull();
});

test("an edit made before the rows are whole again is one of the old epoch", async () => {
  const all = await joined();
  all.desk.put("animals", ANIMAL, { tag: "0412", pen: "B11" });
  await all.phone.round();
  restore(all.desk, "e2", []);
  all.desk.pageSize = 1;
  let pages = 0;
  all.desk.onPull = () => {
    pages += 1;
    if (pages === 2) throw new TypeError("connection reset");
  };
  await all.phone.round();
  expect(here(all.phone, ANIMAL)?.["pen"]).toBe("B11");
  const op = await edit(all.phone, ANIMAL, { pen: "B12" });
  expect(op).toMatchObject({ base_version: 2, base: { pen: "B11" }, epoch: "e1" });
  await all.phone.engine.settled();
  expect(all.desk.pushes.flatMap((push) => push.ops.map((one) => one.epoch))).toEqual(["e1"]);
});

test("a row that the restored desk has forgotten stays for its unsent entries, and no longer", async () => {
  const all = await joined();
  all.desk.put("animals", LATER, { tag: "0600", pen: "D1" });
  await all.phone.round();
  await whileAway(all, async () => {
    await edit(all.phone, LATER, { pen: "D2" });
  });
  restore(all.desk, "e2", []);
  all.desk.verdict = (op) => ({ op_id: op.op_id, verdict: "retry", after_ms: 5_000 });
  await all.phone.round();
  expect(here(all.phone, LATER)).toEqual({ tag: "0600", pen: "D2" });
  expect(await edit(all.phone, LATER, { tag: "0601" })).toMatchObject({ base_version: 1, epoch: "e1" });
  await all.phone.engine.settled();
  all.desk.verdict = (op) => ({ op_id: op.op_id, verdict: "conflict", kind: "update_missing", conflict_id: "c1" });
  all.phone.nowMs += 60_000;
  await all.phone.round();
  expect((await all.store.ops.toArray()).map((op) => op.state)).toEqual(["conflict", "conflict"]);
  expect(here(all.phone, LATER)).toBeUndefined();
  expect(await all.store.fact("kept_rows")).toBeUndefined();
});

test("an entry in conflict that the restored desk has lost is given back too", async () => {
  const all = await joined();
  all.desk.verdict = (op) => ({ op_id: op.op_id, verdict: "conflict", conflict_id: "c1", contested: ["tag"] });
  const op = await edit(all.phone, ANIMAL, { tag: "0413" });
  await all.phone.engine.settled();
  restore(all.desk, "e2", [op.op_id]);
  all.desk.verdict = () => null;
  await all.phone.round();
  expect(all.desk.pushes.map((push) => [push.recovered_from, push.ops.map((one) => one.op_id)])).toEqual([
    ["e1", [op.op_id]],
  ]);
});

test("an entry that the restored desk says nothing readable about is given back, not forgotten", async () => {
  const all = await joined();
  const op = await edit(all.phone, ANIMAL, { tag: "0413" });
  await all.phone.engine.settled();
  restore(all.desk, "e2", []);
  all.desk.results.set(op.op_id, { op_id: op.op_id, verdict: "marvellous" });
  all.desk.decide = ((known) => async (request: Request) => {
    const response = await known(request);
    if (request.url.includes("/ops/status")) all.desk.results.clear();
    return response;
  })(all.desk.decide);
  await all.phone.round();
  expect(all.desk.pushes.map((push) => [push.recovered_from, push.ops.map((one) => one.op_id)])).toEqual([
    ["e1", [op.op_id]],
  ]);
});

test("a refusal that its author has read is not given back", async () => {
  const all = await joined();
  all.desk.verdict = (op) => ({ op_id: op.op_id, verdict: "rejected", error: { code: "forbidden", detail: "" } });
  const op = await edit(all.phone, ANIMAL, { tag: "0413" });
  await all.phone.engine.settled();
  await all.store.ops.update(op.op_id, { dismissed: true });
  restore(all.desk, "e2", [op.op_id]);
  await all.phone.round();
  expect(all.desk.pushes).toEqual([]);
});

test("what two epochs acknowledged and the third has lost is given back", async () => {
  const all = await joined();
  const early = await edit(all.phone, ANIMAL, { tag: "0413" });
  await all.phone.engine.settled();
  restore(all.desk, "e2", []);
  await all.phone.round();
  const late = await edit(all.phone, OTHER, { tag: "0501" });
  await all.phone.engine.settled();
  restore(all.desk, "e3", [early.op_id, late.op_id]);
  await all.phone.round();
  const given = all.desk.pushes.map((push) => [push.recovered_from, push.ops.map((op) => op.op_id)]);
  expect(given).toEqual([["e2", [early.op_id, late.op_id]]]);
});

test("a restore that nobody was there for: the older epoch still owns what it had acknowledged", async () => {
  const all = await joined();
  const op = await edit(all.phone, ANIMAL, { tag: "0413" });
  await all.phone.engine.settled();
  restore(all.desk, "e2", [op.op_id]);
  all.desk.onPull = () => {
    throw new TypeError("connection reset");
  };
  await all.phone.round();
  all.desk.onPull = () => undefined;
  restore(all.desk, "e3", []);
  await all.phone.round();
  expect(all.desk.pushes.map((push) => [push.epoch, push.recovered_from])).toEqual([["e3", "e1"]]);
});

test("a page of another epoch is not mixed with this one's rows", async () => {
  const all = await joined();
  await all.store.dropFact("cursor");
  all.desk.onPull = () => {
    // Restored between the ping and the page; a phone without a position cannot tell the desk which epoch it means.
    all.desk.onPull = () => {
      throw new TypeError("connection reset");
    };
    restore(all.desk, "e2", []);
    all.desk.put("animals", LATER, { tag: "0600" });
  };
  await all.phone.round();
  expect(await all.store.fact("rows_epoch")).toBe("e1");
  expect(await all.store.rows.get(["animals", LATER])).toBeUndefined();
  all.desk.onPull = () => undefined;
  await all.phone.round();
  expect(await all.store.fact("rows_epoch")).toBe("e2");
  expect(here(all.phone, LATER)).toEqual({ tag: "0600" });
});

test("a position that is gone is followed by a fresh start, without giving anything back", async () => {
  const all = await joined();
  const done = await edit(all.phone, ANIMAL, { tag: "0413" });
  await all.phone.engine.settled();
  all.desk.remove("animals", OTHER);
  all.desk.cursorsGone = true;
  all.desk.pushes = [];
  await all.phone.round();
  expect(here(all.phone, OTHER)).toBeUndefined();
  expect(here(all.phone, ANIMAL)?.["tag"]).toBe("0413");
  expect(all.desk.pushes).toEqual([]);
  expect((await all.store.ops.get(done.op_id))?.state).toBe("done");
});
