import { expect, test } from "vitest";

import { ANIMAL, beginWithOnePhone, desk, OTHER, phone, store } from "./beginning.ts";
import { TestPhone } from "./fake-desk.ts";

beginWithOnePhone();

const editTag = (tag: string, id: string = ANIMAL) =>
  phone.engine.add({ table: "animals", id, operation: "update", data: { tag } });
const tagHere = (id: string = ANIMAL) => phone.engine.view.row("animals", id)?.data["tag"];
const opsHere = () => store.ops.orderBy("device_seq").toArray();

test("the first sync brings the show", () => {
  expect(tagHere()).toBe("0412");
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0, complete: true, lastSentMs: phone.nowMs });
});

test("an entry is on disk and shown while the desk is away, and sent when it is back", async () => {
  desk.isDown = true;
  await editTag("0413");
  await phone.engine.settled();
  expect(tagHere()).toBe("0413");
  expect(phone.engine.status).toMatchObject({ link: "away", waiting: 1 });
  desk.isDown = false;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ link: "near", waiting: 0 });
  expect(desk.rows.get(`animals/${ANIMAL}`)?.data["tag"]).toBe("0413");
});

test("an entry whose answer was lost is sent again and has one effect", async () => {
  desk.losesNextAnswer = true;
  await editTag("0413");
  await phone.engine.settled();
  expect((await opsHere())[0]?.state).toBe("waiting");
  await phone.round();
  expect((await opsHere())[0]?.state).toBe("done");
  expect(desk.rows.get(`animals/${ANIMAL}`)?.version).toBe(2);
  expect(desk.pushes.map((push) => push.ops[0]?.op_id)).toHaveLength(2);
  expect(new Set(desk.pushes.map((push) => push.ops[0]?.op_id)).size).toBe(1);
});

test("two quick edits of one record stand on the same version, the second on the first", async () => {
  desk.isDown = true;
  const first = await editTag("0413");
  const second = await editTag("0414");
  expect(first).toMatchObject({ base_version: 1, prev_op_id: null, base: { tag: "0412" } });
  expect(second).toMatchObject({ base_version: 1, prev_op_id: first.op_id, base: { tag: "0413" } });
  await phone.engine.settled();
  expect(tagHere()).toBe("0414");
  desk.isDown = false;
  await phone.round();
  expect(tagHere()).toBe("0414");
  expect((await editTag("0415")).prev_op_id).toBeNull();
});

test("an update of a row that this phone has just made names the insert", async () => {
  desk.isDown = true;
  const id = "0190a000-0000-7000-8000-000000000009";
  const insert = await phone.engine.add({ table: "weigh_ins", id, operation: "insert", data: { weight_x10: 12860 } });
  const data = { voided_reason: "wrong animal" };
  const update = await phone.engine.add({ table: "weigh_ins", id, operation: "update", data });
  expect(insert).toMatchObject({ base_version: 0, base: null });
  expect(update).toMatchObject({ base_version: 1, prev_op_id: insert.op_id, base: { voided_reason: null } });
});

test("a row in conflict shows the desk's value until a person has decided", async () => {
  desk.verdict = (op) => {
    desk.put("animals", ANIMAL, { tag: "0499", pen: "B10" }, ["tag"]);
    const record = { tag: "0499", pen: "B10", version: 2 };
    return { op_id: op.op_id, verdict: "conflict", conflict_id: "c1", contested: ["tag"], record };
  };
  const op = await editTag("0413");
  await phone.engine.settled();
  expect(tagHere()).toBe("0499");
  expect(phone.engine.status).toMatchObject({ waiting: 0, checking: 1 });
  desk.put("animals", ANIMAL, { tag: "0413", pen: "B10" });
  const decision = { resolution: "client_wins", by_name: "Dan", values: { tag: "0413" } };
  desk.results.set(op.op_id, { op_id: op.op_id, verdict: "merged", version: 3, decision });
  await phone.round();
  expect(tagHere()).toBe("0413");
  expect(phone.engine.status.checking).toBe(0);
  expect((await opsHere())[0]).toMatchObject({ state: "done", decision: { by_name: "Dan" } });
});

test("a rejected entry does not stop those behind it", async () => {
  const error = { code: "forbidden", detail: "Not your job." };
  desk.verdict = (op) => (op.record_id === ANIMAL ? { op_id: op.op_id, verdict: "rejected", error } : null);
  desk.isDown = true;
  await editTag("0413");
  await editTag("0501", OTHER);
  desk.isDown = false;
  await phone.round();
  expect((await opsHere()).map((op) => op.state)).toEqual(["rejected", "done"]);
  expect([tagHere(), tagHere(OTHER)]).toEqual(["0412", "0501"]);
  expect(phone.engine.status.checking).toBe(1);
});

test("an entry that the desk asks to send later waits that long", async () => {
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "retry", after_ms: 2_000 });
  await editTag("0413");
  await phone.engine.settled();
  desk.verdict = () => null;
  phone.nowMs += 1_999;
  await phone.round();
  expect((await opsHere())[0]?.state).toBe("waiting");
  expect((phone.engine.status.nextTryMs ?? 0) - phone.nowMs).toBe(1_001);
  // The desk's two seconds, and one of the phone's own jitter.
  phone.nowMs += 1_001;
  await phone.round();
  expect((await opsHere())[0]?.state).toBe("done");
});

test("a result that cannot be read leaves its entry waiting", async () => {
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "marvellous" });
  await editTag("0413");
  await phone.engine.settled();
  expect((await opsHere())[0]?.state).toBe("waiting");
  expect(tagHere()).toBe("0413");
});

test("a captive portal is the desk being away, and costs nothing", async () => {
  desk.isPortal = true;
  await editTag("0413");
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ link: "away", waiting: 1, access: "ok" });
});

test("another installation never sees the token", async () => {
  desk.authorized = [];
  desk.installation = "22222222-2222-4222-8222-222222222222";
  await editTag("0413");
  await phone.engine.settled();
  expect(desk.authorized).toEqual([]);
  expect(phone.engine.status).toMatchObject({ link: "away", waiting: 1 });
});

test.each([
  [401, "unknown_token", "signed_out"],
  [401, "device_expired", "expired"],
  [403, "device_removed", "removed"],
  [426, "client_too_old", "too_old"],
])("HTTP %i %s keeps the queue and says so", async (status, code, access) => {
  desk.refusal = { status, body: { code, retry: "never" } };
  await editTag("0413");
  await phone.engine.settled();
  expect(phone.engine.status).toMatchObject({ access, waiting: 1 });
  desk.refusal = null;
  await phone.round();
  expect(phone.engine.status).toMatchObject({ access: "ok", waiting: 0 });
});

test("Retry-After is waited for", async () => {
  desk.refusal = { status: 503, body: { code: "busy" }, headers: { "retry-after": "7" } };
  await phone.round();
  expect((phone.engine.status.nextTryMs ?? 0) - phone.nowMs).toBeGreaterThanOrEqual(7_000);
});

test("a push that is too large is sent in halves", async () => {
  desk.isDown = true;
  for (let i = 0; i < 5; i += 1) await editTag(`04${20 + i}`);
  await phone.engine.settled();
  desk.isDown = false;
  desk.opsMax = 2;
  await phone.round();
  expect(desk.pushes.map((push) => push.ops.length)).toEqual([2, 2, 1]);
  expect(desk.pushes.map((push) => push.pending)).toEqual(["3", "1", "0"]);
});

test("pages of a long pull all arrive", async () => {
  desk.pageSize = 3;
  for (let i = 0; i < 10; i += 1) desk.put("animals", `a${i}`, { tag: `9${i}` });
  await phone.round();
  expect([...phone.engine.view.all("animals")]).toHaveLength(12);
});

test("a position that is gone starts anew: rows the desk forgot go, rows with entries stay", async () => {
  desk.isDown = true;
  await editTag("0413");
  await phone.engine.settled();
  desk.isDown = false;
  desk.remove("animals", OTHER);
  desk.remove("animals", ANIMAL);
  desk.put("animals", "new", { tag: "0777" });
  desk.cursorsGone = true;
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "retry", after_ms: 60_000 });
  await phone.round();
  expect([tagHere(), tagHere(OTHER), tagHere("new")]).toEqual(["0413", undefined, "0777"]);
});

test("a restored desk gets back what it had acknowledged and lost", async () => {
  const lost = await editTag("0413");
  await phone.engine.settled();
  desk.isDown = true;
  const unsent = await editTag("0501", OTHER);
  await phone.engine.settled();
  desk.isDown = false;
  desk.epoch = "e2";
  desk.results.delete(lost.op_id);
  desk.rows.clear();
  desk.pushes = [];
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B10" });
  desk.put("animals", OTHER, { tag: "0500", pen: "C1" });
  await phone.round();
  expect(desk.pushes.map((push) => [push.recovered_from, push.ops.map((op) => [op.op_id, op.epoch])])).toEqual([
    ["e1", [[lost.op_id, "e1"]]],
    [null, [[unsent.op_id, "e1"]]],
  ]);
  expect([tagHere(), tagHere(OTHER)]).toEqual(["0413", "0501"]);
});

test("a poke asks for a round only if it tells something new", async () => {
  phone.live?.({ type: "poke", data: { clock: desk.clock }, id: null });
  const before = desk.authorized.length;
  await phone.engine.settled();
  expect(desk.authorized).toHaveLength(before);
  desk.put("animals", ANIMAL, { tag: "0444" });
  phone.live?.({ type: "poke", data: { clock: desk.clock }, id: null });
  await phone.engine.settled();
  expect(tagHere()).toBe("0444");
});

test("what the desk told while the stream was being opened is asked for when it is open", async () => {
  const op = await editTag("0413");
  await phone.engine.settled();
  phone.dropStream();
  let answersMe = 0;
  desk.beforeListening = () => {
    answersMe = desk.authorized.filter((path) => path === "/me").length;
    desk.checks = [
      {
        id: "c1",
        kind: "update_update",
        status: "open",
        rev: 1,
        table_name: "animals",
        record_id: ANIMAL,
        op_ids: [op.op_id],
        contested: ["tag"],
        opened_at: "2026-11-22T09:00:00.000Z",
      },
    ];
  };
  await phone.round();
  expect((await store.checks.toArray()).map(({ id }) => id)).toEqual(["c1"]);
  expect(desk.authorized.filter((path) => path === "/me").length, "its rights too").toBe(answersMe + 1);
});

test("only one tab talks to the desk", async () => {
  const second = new TestPhone(desk, store, "tab-2");
  await second.engine.start();
  await second.engine.settled();
  const before = desk.authorized.length;
  await second.engine.add({ table: "animals", id: ANIMAL, operation: "update", data: { pen: "B11" } });
  await second.engine.settled();
  expect(desk.authorized).toHaveLength(before);
  expect(second.news).toContainEqual({ rows: [], wantsSync: true });
  await phone.round();
  expect(desk.rows.get(`animals/${ANIMAL}`)?.data["pen"]).toBe("B11");
  await second.engine.stop();
});

test("an undone decision is open again on the phone", async () => {
  desk.verdict = (op) => ({
    op_id: op.op_id,
    verdict: "noop",
    version: 1,
    decision: { resolution: "server_wins", values: { tag: "0412" } },
  });
  const op = await editTag("0413");
  await phone.engine.settled();
  desk.checks = [
    {
      id: "c1",
      kind: "update_update",
      status: "open",
      rev: 2,
      table_name: "animals",
      record_id: ANIMAL,
      op_ids: [op.op_id],
      contested: ["tag"],
      opened_at: "2026-11-22T09:00:00.000Z",
    },
  ];
  phone.live?.({ type: "conflict", data: { id: "c1", rev: 2, status: "open" }, id: null });
  await phone.engine.settled();
  expect((await opsHere())[0]).toMatchObject({ state: "conflict", conflict_id: "c1" });
  expect(phone.engine.status.checking).toBe(1);
});

test("what the desk asked while the phone was away is known when it is back, without being told again", async () => {
  const op = await editTag("0413");
  await phone.engine.settled();
  desk.isDown = true;
  await phone.round();
  desk.checks = [
    {
      id: "c1",
      kind: "rule",
      rule: "C1",
      status: "open",
      rev: 1,
      table_name: "animals",
      record_id: ANIMAL,
      op_ids: [op.op_id],
      contested: ["official_weight_x10"],
      opened_at: "2026-11-22T09:00:00.000Z",
    },
  ];
  desk.isDown = false;
  await phone.round();
  expect((await phone.store.checks.toArray()).map(({ id }) => id)).toEqual(["c1"]);
  expect(phone.engine.status.checking, "the entry was taken, and is disputed all the same").toBe(1);

  let told = 0;
  phone.engine.view.subscribe(() => (told += 1));
  const asked = { id: "q1", by: { id: "p1", name: "Dan" }, at: "2026-11-22T09:01:00.000Z", text: "Wet?", answer: null };
  desk.checks = desk.checks.map((check) => ({ ...(check as object), rev: 2, asked }));
  phone.live?.({ type: "conflict", data: { id: "c1", rev: 2, status: "open" }, id: null });
  await phone.engine.settled();
  expect(told, "whoever looks at the entry hears of the question").toBe(1);
});
