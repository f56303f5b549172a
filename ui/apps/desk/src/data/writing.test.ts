import { createApi } from "@showdesk/api";
import { expect, test } from "vitest";

import type { Change } from "./desk-api.ts";
import { Writing } from "./writing.ts";

const CHANGE: Change = {
  op_id: "01990000-0000-7000-8000-000000000001",
  table: "shows",
  id: "01990000-0000-7000-8000-0000000000aa",
  operation: "update",
  base_version: 2,
  data: { name: "Cedar County Fair" },
  base: { name: "New show" },
};

interface Sent {
  epoch: string;
  incarnation: string;
  ops: { op_id: string; device_seq: number; epoch?: string; data: unknown; base?: unknown; txn?: unknown }[];
}

/** A desk that answers each push with the next of these. */
function desk(...answers: ({ status?: number } & Record<string, unknown>)[]) {
  const sent: Sent[] = [];
  const send = async (request: Request): Promise<Response> => {
    if (request.url.endsWith("/hello")) return json(200, { epoch: "e1", schema: { current: 1 } });
    sent.push((await request.json()) as Sent);
    const { status = 200, ...body } = answers.shift() ?? {};
    return json(status, body);
  };
  return { sent, writing: new Writing(createApi("http://desk.test", { send })) };
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

const applied = { results: [{ verdict: "applied", version: 3 }] };

test("a change goes out as a push of this desk", async () => {
  const { sent, writing } = desk(applied);
  expect(await writing.write(CHANGE)).toEqual({ verdict: "saved", version: 3 });
  expect(sent[0]?.epoch).toBe("e1");
  expect(sent[0]?.ops[0]).toMatchObject({
    op_id: CHANGE.op_id,
    device_seq: 1,
    table_name: "shows",
    record_id: CHANGE.id,
    base_version: 2,
    data: CHANGE.data,
    base: CHANGE.base,
  });
});

test("changes are counted and sent one after the other, in one incarnation", async () => {
  const { sent, writing } = desk(applied, applied);
  await Promise.all([
    writing.write(CHANGE),
    writing.write({ ...CHANGE, op_id: "01990000-0000-7000-8000-000000000002" }),
  ]);
  expect(sent.map((push) => push.ops[0]?.device_seq)).toEqual([1, 2]);
  expect(new Set(sent.map((push) => push.incarnation)).size).toBe(1);
});

test("a restored desk is told which count the version is from", async () => {
  const { sent, writing } = desk({ status: 409, code: "epoch_mismatch", epoch: "e2" }, applied);
  expect(await writing.write(CHANGE)).toEqual({ verdict: "saved", version: 3 });
  expect(sent.map((push) => [push.epoch, push.ops[0]?.epoch])).toEqual([
    ["e1", undefined],
    ["e2", "e1"],
  ]);
});

test("a busy desk is asked again with the same change", async () => {
  const { sent, writing } = desk({ results: [{ verdict: "retry", after_ms: 1 }] }, applied);
  expect(await writing.write(CHANGE)).toMatchObject({ verdict: "saved" });
  expect(sent.map((push) => push.ops[0]?.op_id)).toEqual([CHANGE.op_id, CHANGE.op_id]);
});

test("a refusal and a clash are told apart", async () => {
  const error = { code: "locked", detail: "this cannot be changed in stage E of the show" };
  const { writing } = desk(
    { results: [{ verdict: "rejected", error }] },
    { results: [{ verdict: "conflict", conflict_id: "c1" }] },
  );
  expect(await writing.write(CHANGE)).toEqual({ verdict: "refused", error });
  expect(await writing.write(CHANGE)).toEqual({ verdict: "waits", conflict_id: "c1" });
});

test("a change that could not be sent does not hold up the next one", async () => {
  const { writing } = desk({ status: 507, code: "disk_full" }, applied);
  await expect(writing.write(CHANGE)).rejects.toMatchObject({ code: "disk_full" });
  expect(await writing.write(CHANGE)).toMatchObject({ verdict: "saved" });
});

test("changes that belong together go out as one group, and the one at fault says why", async () => {
  const error = { code: "invalid", detail: "this species is not known" };
  const { sent, writing } = desk(
    {
      results: [
        { verdict: "applied", version: 1 },
        { verdict: "applied", version: 4 },
      ],
    },
    {
      results: [
        { verdict: "rejected", error: { code: "txn_failed", detail: "nothing of the group was written" } },
        { verdict: "rejected", error },
      ],
    },
  );
  const both = [CHANGE, { ...CHANGE, op_id: "01990000-0000-7000-8000-000000000002" }];
  expect(await writing.writeTogether(both, "g-1")).toEqual({ verdict: "saved", versions: [1, 4] });
  expect(sent[0]?.ops.map(({ txn, device_seq }) => [txn, device_seq])).toEqual([
    [{ id: "g-1", size: 2 }, 1],
    [{ id: "g-1", size: 2 }, 2],
  ]);
  expect(await writing.writeTogether(both, "g-1")).toEqual({ verdict: "refused", error });
});
