// What the phone takes from the desk, and what it never shows again.

import { expect, test } from "vitest";

import { pullAll } from "../src/pull.ts";
import { ANIMAL, beginWithOnePhone, desk, OTHER, phone, store } from "./beginning.ts";

const LATER = "0190a000-0000-7000-8000-000000000003";
const WEIGHT = "0190a000-0000-7000-8000-0000000000a1";

beginWithOnePhone();

const here = (id: string, table = "animals") => phone.engine.view.row(table, id)?.data;
const edit = (id: string, data: Record<string, unknown>) =>
  phone.engine.add({ table: "animals", id, operation: "update", data });

test.each(["delete", "revoke"] as const)("after a %s the row is gone from the phone", async (how) => {
  desk.bury("animals", OTHER, how);
  await phone.round();
  expect(here(OTHER)).toBeUndefined();
  expect(await store.rows.get(["animals", OTHER])).toBeUndefined();
});

test.each(["delete", "revoke"] as const)("a row that this phone made does not come back after its %s", async (how) => {
  const data = { animal_id: ANIMAL, weight_x10: 12860 };
  await phone.engine.add({ table: "weigh_ins", id: WEIGHT, operation: "insert", data });
  await phone.engine.settled();
  expect(here(WEIGHT, "weigh_ins")).toEqual(data);
  desk.bury("weigh_ins", WEIGHT, how);
  await phone.round();
  expect(here(WEIGHT, "weigh_ins")).toBeUndefined();
  await phone.engine.refresh();
  expect(here(WEIGHT, "weigh_ins")).toBeUndefined();
});

test("an insert answered again after its row was deleted brings nothing back", async () => {
  desk.losesNextAnswer = true;
  const data = { animal_id: ANIMAL, weight_x10: 12860 };
  await phone.engine.add({ table: "weigh_ins", id: WEIGHT, operation: "insert", data });
  await phone.engine.settled();
  desk.bury("weigh_ins", WEIGHT, "delete");
  await pullAll({ store, api: phone.api, onRows: async () => undefined });
  await phone.round();
  expect((await store.ops.toArray()).map((op) => op.state)).toEqual(["done"]);
  expect(here(WEIGHT, "weigh_ins")).toBeUndefined();
});

test("where two rows were the same thing, the other one stays and this phone's is gone", async () => {
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "held", conflict_id: "c1" });
  const op = await edit(ANIMAL, { tag: "0500" });
  await phone.engine.settled();
  desk.bury("animals", ANIMAL, "revoke");
  const record = { tag: "0500", pen: "C2" };
  const decision = { resolution: "server_wins" };
  desk.results.set(op.op_id, { op_id: op.op_id, verdict: "merged", version: 9, record, record_id: OTHER, decision });
  await phone.round();
  expect(here(ANIMAL)).toBeUndefined();
  expect(here(OTHER)).toEqual(record);
  expect((await store.rows.get(["animals", OTHER]))?.version).toBe(9);
});

test("the holder's row is not stored under an id that the feed has taken from this phone", async () => {
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "conflict", kind: "unique_violation", conflict_id: "c1" });
  const data = { tag: "0500", species: "cattle" };
  const op = await phone.engine.add({ table: "animals", id: LATER, operation: "insert", data });
  await phone.engine.settled();
  desk.bury("animals", LATER, "revoke");
  const record = { tag: "0500", pen: "C1" };
  desk.results.set(op.op_id, { op_id: op.op_id, verdict: "merged", version: 1, record, decision: {} });
  await phone.round();
  expect((await store.ops.get(op.op_id))?.state).toBe("done");
  expect(here(LATER)).toBeUndefined();
  expect(await store.rows.get(["animals", LATER])).toBeUndefined();
});

test("the row that holds a wanted number is not taken for the entry's own", async () => {
  desk.verdict = (op) => {
    const record = { tag: "0500", pen: "C1" };
    return { op_id: op.op_id, verdict: "conflict", kind: "unique_violation", conflict_id: "c1", version: 7, record };
  };
  await edit(ANIMAL, { tag: "0500" });
  await phone.engine.settled();
  expect(here(ANIMAL)).toEqual({ tag: "0412", pen: "B10" });
});

test("a page and the position after it are stored together or not at all", async () => {
  const before = await store.fact("cursor");
  desk.put("animals", ANIMAL, { tag: "0499", pen: "B10" });
  const die = (_: unknown, change: { value?: unknown }) => {
    if (String(change.value).startsWith("e1@")) throw new Error("the phone died");
  };
  const dieAtCursor = (changes: object) => die(changes, changes as { value?: unknown });
  store.facts.hook("updating", dieAtCursor);
  await phone.round();
  store.facts.hook("updating").unsubscribe(dieAtCursor);
  expect(await store.fact("cursor")).toBe(before);
  expect((await store.rows.get(["animals", ANIMAL]))?.data["tag"]).toBe("0412");
  await phone.round();
  expect(here(ANIMAL)?.["tag"]).toBe("0499");
  expect(await store.fact("cursor")).not.toBe(before);
});

test("a page that was asked for from an old position is not stored over newer rows", async () => {
  desk.put("animals", ANIMAL, { tag: "0413", pen: "B10" });
  const old = pullAll({ store, api: phone.api, onRows: async () => undefined });
  let isFirst = true;
  desk.onPull = async () => {
    if (!isFirst) return;
    isFirst = false;
    // Another tab is faster: it has a newer page stored when this one arrives.
    await store.setFact("cursor", "e1@99");
    await store.rows.update(["animals", ANIMAL], { version: 3, data: { tag: "0414" } });
  };
  await old;
  expect(await store.fact("cursor")).toBe("e1@99");
  expect((await store.rows.get(["animals", ANIMAL]))?.data).toEqual({ tag: "0414" });
});

test("a change that stands on two pages is shown at once, not by halves", async () => {
  desk.pageSize = 1;
  desk.put("animals", ANIMAL, { tag: "0412", pen: "SWAPPED" });
  desk.put("animals", OTHER, { tag: "0500", pen: "SWAPPED" });
  const seen = new Set<string>();
  const stop = phone.engine.view.subscribe(() => seen.add(`${here(ANIMAL)?.["pen"]} ${here(OTHER)?.["pen"]}`));
  await phone.round();
  stop();
  expect([...seen]).toEqual(["SWAPPED SWAPPED"]);
});

test("what came before the line broke is shown, and the rest with the next round", async () => {
  desk.pageSize = 1;
  desk.put("animals", ANIMAL, { tag: "0412", pen: "NEW" });
  desk.put("animals", OTHER, { tag: "0500", pen: "NEW" });
  let pages = 0;
  desk.onPull = () => {
    pages += 1;
    if (pages === 2) throw new TypeError("connection reset");
  };
  await phone.round();
  expect([here(ANIMAL)?.["pen"], here(OTHER)?.["pen"]]).toEqual(["NEW", "C1"]);
  await phone.round();
  expect(here(OTHER)?.["pen"]).toBe("NEW");
});

test("a poke while a push is under way is followed by another round, and carries nothing itself", async () => {
  const poke = () => phone.live?.({ type: "poke", data: { clock: 99, changes: [{ tag: "forged" }] }, id: null });
  desk.verdict = () => {
    desk.put("animals", OTHER, { tag: "0501", pen: "C1" });
    poke();
    return null;
  };
  await edit(ANIMAL, { pen: "B11" });
  await phone.engine.settled();
  expect(here(ANIMAL)).toEqual({ tag: "0412", pen: "B11" });
  expect(here(OTHER)).toEqual({ tag: "0501", pen: "C1" });
  expect(desk.authorized.filter((path) => path === "/sync/push")).toHaveLength(1);
});

test("a row without its entries' effect is not shown as if it had none", async () => {
  // Applied as version 5 because others wrote too; the page with it has not come yet.
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "applied", version: 5 });
  desk.onPull = () => {
    throw new TypeError("connection reset");
  };
  const first = await edit(ANIMAL, { pen: "B11" });
  await phone.engine.settled();
  expect(here(ANIMAL)?.["pen"]).toBe("B11");
  expect(await edit(ANIMAL, { pen: "B12" })).toMatchObject({ base_version: 1, prev_op_id: first.op_id });
});
