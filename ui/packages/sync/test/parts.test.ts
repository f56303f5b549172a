import { Dexie } from "dexie";
import { beforeEach, expect, test, vi } from "vitest";

import { durably, StorageFull } from "../src/durable.ts";
import { LEASE_MS, stopLeading, tryLead } from "../src/leader.ts";
import { addEntry, RowMissing } from "../src/outbox.ts";
import { overlay, patched } from "../src/overlay.ts";
import { ACKNOWLEDGED_KEEP_COUNT, ACKNOWLEDGED_KEEP_MS, forgetOld, settle } from "../src/settle.ts";
import { FIRST_STATUS, tidings } from "../src/status.ts";
import type { ServerRow, Store, StoredOp } from "../src/store.ts";
import { readResults } from "../src/wire.ts";
import { emptyStore, FakeDesk, newStore } from "./fake-desk.ts";

const ANIMAL = "0190a000-0000-7000-8000-000000000001";
const NOW = 1_700_000_000_000;

let store: Store;

beforeEach(async () => {
  store = await newStore(new FakeDesk());
  await store.rows.put(row(3, { tag: "0412", pen: "B10", rules: { class_cap: 20, ties_allowed: true } }));
});

function row(version: number, data: ServerRow["data"]): ServerRow {
  return { table: "animals", id: ANIMAL, version, seq: version, data, disputed: [], kept_from: null };
}

const edit = (data: StoredOp["data"]) =>
  addEntry(store, { table: "animals", id: ANIMAL, operation: "update", data }, NOW);
const rowHere = () => store.rows.get(["animals", ANIMAL]);

test("a new store has an incarnation that stays", async () => {
  const fresh = emptyStore();
  const first = await fresh.fact("incarnation");
  fresh.close();
  await fresh.open();
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(await fresh.fact("incarnation")).toBe(first);
});

test("an edit of a row that is not here stores nothing", async () => {
  const missing = { table: "animals", id: "nowhere", operation: "update", data: { pen: "1" } } as const;
  await expect(addEntry(store, missing, NOW)).rejects.toThrow(RowMissing);
  expect(await store.ops.count()).toBe(0);
  expect(await store.fact("device_seq")).toBeUndefined();
});

test("entries of two tabs never share a number", async () => {
  const ops = await Promise.all(Array.from({ length: 20 }, (_, i) => edit({ pen: `P${i}` })));
  expect(new Set(ops.map((op) => op.device_seq)).size).toBe(20);
  const byNumber = [...ops].sort((a, b) => a.device_seq - b.device_seq);
  expect(byNumber.slice(1).map((op) => op.prev_op_id)).toEqual(byNumber.slice(0, -1).map((op) => op.op_id));
});

test("the next version is adopted from the verdict; a later one waits for the pull and stays shown", async () => {
  const first = await edit({ pen: "B11" });
  await settle(store, readResults([{ op_id: first.op_id, verdict: "applied", version: 4 }]), {
    nowMs: NOW,
    random: () => 0,
  });
  expect(await rowHere()).toMatchObject({ version: 4, data: { pen: "B11", tag: "0412" } });
  const second = await edit({ pen: "B12" });
  await settle(store, readResults([{ op_id: second.op_id, verdict: "applied", version: 7 }]), {
    nowMs: NOW,
    random: () => 0,
  });
  expect(await rowHere()).toMatchObject({ version: 4, data: { pen: "B11" } });
  const ops = await store.ops.toArray();
  expect(overlay(await rowHere(), ops)?.data["pen"]).toBe("B12");
  expect((await edit({ pen: "B13" })).prev_op_id).toBe(second.op_id);
  expect(overlay(row(7, { pen: "B20" }), ops)?.data["pen"]).toBe("B20");
});

test("a told record is adopted whole, but never an older one than the phone has", async () => {
  const op = await edit({ pen: "B11" });
  const record = { id: ANIMAL, version: 6, tag: "0413", pen: "B11", show_id: "s", deleted_at: null };
  await settle(store, readResults([{ op_id: op.op_id, verdict: "merged", version: 6, record }]), {
    nowMs: NOW,
    random: () => 0,
  });
  expect(await rowHere()).toMatchObject({ version: 6, data: { tag: "0413", pen: "B11" } });
  expect((await rowHere())?.data).not.toHaveProperty("show_id");
  const late = await edit({ pen: "B12" });
  const old = { ...record, version: 5, tag: "old" };
  await settle(store, readResults([{ op_id: late.op_id, verdict: "noop", version: 5, record: old }]), {
    nowMs: NOW,
    random: () => 0,
  });
  expect((await rowHere())?.data["tag"]).toBe("0413");
});

test("keys of a JSON column are set one by one", () => {
  expect(patched({ rules: { class_cap: 20, ties_allowed: true } }, { rules: { class_cap: 22 } })).toEqual({
    rules: { class_cap: 22, ties_allowed: true },
  });
});

test("a lease is for one tab until it ends, is given back, or is absurd", async () => {
  expect(await tryLead(store, "a", NOW)).toBe(true);
  expect(await tryLead(store, "b", NOW + LEASE_MS - 1)).toBe(false);
  expect(await tryLead(store, "b", NOW + LEASE_MS)).toBe(true);
  await stopLeading(store, "a");
  expect(await tryLead(store, "a", NOW + LEASE_MS + 1)).toBe(false);
  await stopLeading(store, "b");
  expect(await tryLead(store, "a", NOW)).toBe(true);
  expect(await tryLead(store, "b", NOW - 10 * LEASE_MS)).toBe(true);
});

test("a connection that died in the background is opened anew, once", async () => {
  const work = vi.fn(async () => {
    if (work.mock.calls.length === 1) throw new Dexie.DatabaseClosedError("gone");
    return await store.rows.count();
  });
  expect(await durably(store, work)).toBe(1);
  expect(work).toHaveBeenCalledTimes(2);
});

test("a full phone is told, not retried", async () => {
  const work = vi.fn(() => Promise.reject(new DOMException("full", "QuotaExceededError")));
  await expect(durably(store, work)).rejects.toThrow(StorageFull);
  expect(work).toHaveBeenCalledOnce();
});

test("acknowledged entries stay a day, and the newest longer; others are never forgotten", async () => {
  const [op] = await Promise.all([edit({ pen: "X" })]);
  const done = (seq: number, settledAtMs: number): StoredOp => ({
    ...op,
    op_id: `op-${seq}`,
    device_seq: seq + 1_000,
    state: "done",
    settled_at_ms: settledAtMs,
  });
  const old = NOW - ACKNOWLEDGED_KEEP_MS - 1;
  const many = (count: number, settledAtMs: (i: number) => number) =>
    store.ops.bulkPut(Array.from({ length: count }, (_, i) => done(i, settledAtMs(i))));
  const left = async (state: StoredOp["state"]) => await store.ops.where("state").equals(state).toArray();
  await many(ACKNOWLEDGED_KEEP_COUNT + 10, () => NOW - ACKNOWLEDGED_KEEP_MS);
  await forgetOld(store, NOW);
  expect(await left("done")).toHaveLength(ACKNOWLEDGED_KEEP_COUNT + 10);
  await many(ACKNOWLEDGED_KEEP_COUNT + 10, (i) => (i < 5 ? NOW : old));
  await forgetOld(store, NOW);
  const kept = await left("done");
  expect(kept).toHaveLength(ACKNOWLEDGED_KEEP_COUNT);
  expect(kept.filter((one) => one.settled_at_ms === NOW)).toHaveLength(5);
  expect(await left("waiting")).toHaveLength(1);
});

test("each request tells what the phone can do, what waits here, since when, and how long the last one took", () => {
  const waiting = { ...FIRST_STATUS, waiting: 2, oldestMs: 1_000 };
  const quick = { level: "quick", tookMs: null, nowMs: 61_000 };
  expect(tidings(waiting, { level: "field_ready", tookMs: 1_234.5, nowMs: 61_000 })).toEqual({
    "X-Client-Level": "field_ready",
    "X-Client-Pending": "2",
    "X-Client-Waiting-Ms": "60000",
    "X-Client-Took-Ms": "1235",
  });
  expect(tidings(FIRST_STATUS, quick)).toEqual({ "X-Client-Level": "quick", "X-Client-Pending": "0" });
  expect(tidings(waiting, { ...quick, nowMs: 0 })["X-Client-Waiting-Ms"]).toBe("0");
});
