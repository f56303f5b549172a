import { ApiProblem } from "@showdesk/api";
import { beforeEach, expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { ConflictView, DeskApi } from "../../data/desk-api.ts";
import { fakeApi, type FakeApi } from "../../testing/fake-api.ts";
import { conflict, decided } from "../../testing/samples.ts";
import { Checks } from "./checks.svelte.ts";

const first = conflict();
const second = conflict({
  id: "c-2203",
  subject: { tag: "2203", breed: "Suffolk", sex: "wether" },
  record_id: "a-2203",
});

let api: FakeApi;
let checks: Checks;

beforeEach(async () => {
  await open();
});

async function open(change: Partial<DeskApi> = {}): Promise<void> {
  api = fakeApi([first, second], change);
  checks = new Checks(new Desk(api));
  await checks.refresh();
}

function refusal(status: number, code: string, fields: Record<string, string> = {}): ApiProblem {
  const more = { retryAfterMs: null, epoch: null, requestId: null, fields, body: {} };
  return new ApiProblem(status, code, `refused: ${code}`, "never", more);
}

test("the first clash is shown and nothing is chosen", () => {
  expect(checks.current?.id).toBe("c-1042");
  expect(checks.decision).toEqual({ state: "incomplete" });
});

test("saving without a choice asks the desk nothing", async () => {
  await checks.save();
  expect(api.resolved).toEqual([]);
});

test("a saved decision names the state it was made on and goes on to the next", async () => {
  checks.choose("init_weight_x10", "phone");
  checks.reason = " Scale A was not reset ";
  await checks.save();
  expect(api.resolved).toMatchObject([
    {
      id: "c-1042",
      request: {
        resolution: "client_wins",
        expected_server_version: 7,
        rev: 1,
        reason: "Scale A was not reset",
        idempotency_key: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    },
  ]);
  expect(checks.current?.id).toBe("c-2203");
  expect(checks.list.items.map((item) => item.id)).toEqual(["c-2203"]);
  expect(checks.desk.toasts.current?.text).toBe("#1042: Start weight 621 lb.");
});

test("who opened another clash before the answer came stays there, and may decide it at once", async () => {
  const third = conflict({ id: "c-3000", record_id: "a-3000" });
  api = fakeApi([first, second, third]);
  checks = new Checks(new Desk(api));
  await checks.refresh();
  checks.choose("init_weight_x10", "phone");
  const saving = checks.save();
  await checks.open("c-3000");
  checks.choose("init_weight_x10", "laptop");
  await Promise.all([saving, checks.save()]);
  expect(api.resolved.map(({ id }) => id)).toEqual(["c-1042", "c-3000"]);
  expect(checks.current?.id).toBe("c-2203");
});

test("a refusal of a clash that is left is told, and does not stand at another one", async () => {
  await open({ resolve: () => Promise.reject(refusal(422, "invalid", { init_weight_x10: "too heavy" })) });
  checks.choose("init_weight_x10", "phone");
  const saving = checks.save();
  await checks.open("c-2203");
  await saving;
  expect(checks.faults).toEqual({});
  expect(checks.desk.toasts.current?.tone).toBe("bad");
});

/** An answer that comes when the test says so. */
function late<T>(): { answer: Promise<T>; give: (value: T) => void; fail: (error: Error) => void } {
  let give: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const answer = new Promise<T>((resolve, reject) => ([give, fail] = [resolve, reject]));
  return { answer, give, fail };
}

test("a clash that was asked for by its address is not stood in for by the first of the list", async () => {
  const other = conflict({ id: "c-3000", record_id: "a-3000" });
  const { answer, give } = late<ConflictView>();
  api = fakeApi([first, second], { conflict: () => answer });
  checks = new Checks(new Desk(api));
  const opening = checks.open("c-3000");
  await checks.refresh();
  expect(checks.list.items).toHaveLength(2);
  expect(checks.current).toBeUndefined();
  give(other);
  await opening;
  expect(checks.current?.id).toBe("c-3000");
});

test("a clash that cannot be read makes room for the first of the list", async () => {
  const { answer, fail } = late<ConflictView>();
  api = fakeApi([first, second], { conflict: () => answer });
  checks = new Checks(new Desk(api));
  const opening = checks.open("c-3000");
  await checks.refresh();
  fail(new Error("it is gone"));
  await opening;
  expect(checks.current?.id).toBe("c-1042");
  expect(checks.desk.toasts.current?.tone).toBe("bad");
});

test("who opened a listed clash while another was read stays there", async () => {
  const { answer, give } = late<ConflictView>();
  await open({ conflict: () => answer });
  const opening = checks.open("c-3000");
  await checks.open("c-2203");
  give(conflict({ id: "c-3000", record_id: "a-3000" }));
  await opening;
  expect(checks.current?.id).toBe("c-2203");
});

test("a list that was read before a decision does not bring what is decided back", async () => {
  await open();
  const { answer, give } = late<Awaited<ReturnType<DeskApi["conflicts"]>>>();
  const before = await api.conflicts("open", undefined);
  api.conflicts = () => answer;
  const reading = checks.list.refresh();
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  give(before);
  await reading;
  expect(checks.list.items.map(({ id }) => id)).toEqual(["c-2203"]);
});

test("the last decided clash leaves an empty page", async () => {
  for (let index = 0; index < 2; index++) {
    checks.choose("init_weight_x10", "laptop");
    await checks.save();
  }
  expect(checks.current).toBeUndefined();
  expect(checks.list.items).toEqual([]);
});

test("undo takes the last decision back and shows it again", async () => {
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  await checks.undo();
  expect(api.undone).toEqual(["c-1042"]);
  expect(checks.current).toMatchObject({ id: "c-1042", status: "open" });
  await checks.undo();
  expect(api.undone).toEqual(["c-1042"]);
});

test("who opened another clash before an undo was answered stays there", async () => {
  const third = conflict({ id: "c-3000", record_id: "a-3000" });
  api = fakeApi([first, second, third]);
  checks = new Checks(new Desk(api));
  await checks.refresh();
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  const undoing = checks.undo();
  await checks.open("c-3000");
  await undoing;
  expect(checks.current?.id).toBe("c-3000");
  expect(checks.list.items.map((item) => item.id)).toContain("c-1042");
});

test("a value that moved meanwhile empties the choice and says so", async () => {
  await open({
    resolve: () => {
      api.items = [{ ...first, rev: 2, server_version: 8 }, second];
      return Promise.reject(refusal(409, "server_moved"));
    },
  });
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  expect(checks.current).toMatchObject({ id: "c-1042", rev: 2, server_version: 8 });
  expect(checks.decision).toEqual({ state: "incomplete" });
  expect(checks.notice).toMatch(/changed while you were deciding/);
});

test("a clash that somebody else just decided says who and what", async () => {
  await open({
    resolve: () => {
      api.items = [decided(first, "server_wins", { init_weight_x10: 6120 }), second];
      return Promise.reject(refusal(409, "already_resolved"));
    },
  });
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  expect(checks.notice).toBe("Dan just decided this: start weight 612 lb.");
});

test("a decision elsewhere is shown in place of a half-made choice", async () => {
  checks.choose("init_weight_x10", "phone");
  // The desk's number for the state of a clash stays when it is decided.
  api.items = [{ ...decided(first, "server_wins", { init_weight_x10: 6120 }), rev: first.rev }, second];
  await checks.refresh();
  expect(checks.decision).toEqual({ state: "incomplete" });
  expect(checks.current).toMatchObject({ id: "c-1042", status: "resolved" });
  expect(checks.notice).toBe("Dan just decided this: start weight 612 lb.");
});

test("a refused value stands at its field", async () => {
  await open({ resolve: () => Promise.reject(refusal(422, "invalid", { init_weight_x10: "too heavy" })) });
  checks.type("init_weight_x10", "init_weight_x10", "9999");
  await checks.save();
  expect(checks.faults).toEqual({ init_weight_x10: "too heavy" });
  expect(checks.choiceOf("init_weight_x10").typed).toEqual({ init_weight_x10: "9999" });
});

test("trying again after a lost answer sends the same key", async () => {
  let lost = true;
  const keys: string[] = [];
  await open({
    resolve: (_id, request) => {
      keys.push(request.idempotency_key);
      if (!lost) return Promise.resolve(decided(first, "client_wins", first.client_data));
      lost = false;
      return Promise.reject(new Error("no answer"));
    },
  });
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  await checks.save();
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
});

test("a decided list shows decided ones", async () => {
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  checks.setFilter("decided");
  await checks.refresh();
  expect(checks.list.items.map((item) => item.id)).toEqual(["c-1042"]);
});

test("undo from the decided list goes back to where the clash waits", async () => {
  checks.choose("init_weight_x10", "phone");
  await checks.save();
  checks.setFilter("decided");
  await checks.refresh();
  await checks.undo();
  expect(checks.list.filter).toBe("open");
  expect(checks.current).toMatchObject({ id: "c-1042", status: "open" });
  expect(checks.list.items.map((item) => item.id)).toEqual(["c-1042", "c-2203"]);
});

test("each view keeps what it showed until the answer comes", async () => {
  checks.setFilter("decided");
  await checks.refresh();
  checks.setFilter("open");
  expect(checks.list.items.map((item) => item.id)).toEqual(["c-1042", "c-2203"]);
});

test("a line that its heading hides is shown when it is opened", async () => {
  const many = Array.from({ length: 8 }, (_, index) => conflict({ id: `c-${String(index)}` }));
  api = fakeApi(many);
  checks = new Checks(new Desk(api));
  await checks.refresh();
  const [section] = checks.list.sections;
  if (section === undefined) throw new Error("there is no heading");
  expect(checks.list.linesOf(section)).toHaveLength(4);
  await checks.open("c-7");
  expect(checks.list.linesOf(section)).toHaveLength(8);
  checks.list.toggle(section);
  expect(checks.list.linesOf(section)).toEqual([]);
  checks.step(-1);
  expect(checks.list.linesOf(section)).toHaveLength(8);
});

test("a bulk decision that could not take all of it says how many wait", async () => {
  await checks.bulkSaved({
    bulk_id: "b-1",
    results: [
      { id: "c-1042", outcome: "resolved", values: {} },
      { id: "c-2203", outcome: "failed", values: {} },
    ],
  });
  expect(checks.desk.toasts.current?.text).toBe("1 entry decided. 1 changed meanwhile and waits here.");
});

test("undo of a bulk says what stays because it was changed since", async () => {
  await open({
    undoBulk: (id) =>
      Promise.resolve({
        bulk_id: id,
        results: [
          { id: "c-1042", outcome: "undone", values: {} },
          { id: "c-2203", outcome: "failed", values: {} },
        ],
      }),
  });
  await checks.undoBulk("b-1");
  expect(checks.desk.toasts.current?.text).toBe("1 decision taken back. 1 stays: it was changed since.");
});
