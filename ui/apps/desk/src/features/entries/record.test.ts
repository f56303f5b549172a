import { Unreachable } from "@showdesk/api";
import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { Change, DeskApi, HistoryItem } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { show, version } from "../../testing/samples.ts";
import { editOf, typedOf, weightOf } from "./edit.ts";
import { restorePlan } from "./restore.ts";
import { takenBack, type RowChange } from "./row-change.ts";
import { Saves } from "./saves.svelte.ts";
import { canRestore, historyLines, newestOf, type Version } from "./versions.ts";

function state(number: number, snapshot: HistoryItem["snapshot"], change: Partial<Version> = {}): Version {
  return { ...version(number, snapshot, { op_id: `op-${String(number)}` }), table: "animals", id: "a-1042", ...change };
}

const dan = { actor: { id: "p-dan", name: "Dan" }, device: { id: "d-desk", name: "Laptop", kind: "desk" } };

test("history tells who did what, newest first, and one act is one line", () => {
  const lines = historyLines(
    [
      state(
        1,
        { tag: "1040", pen: null, arrived_at: null, official_weight_x10: null },
        { reason: "Entries file", ...dan },
      ),
      state(2, { tag: "1040", pen: "B2", arrived_at: "2026-08-14T13:31:00.000Z", official_weight_x10: null }),
      // The weight's own row, and the animal that it changed, come from one act.
      state(1, { kind: "arrival", weight_x10: 5980 }, { table: "weigh_ins", id: "w-1", seq: 3, op_id: "op-weigh" }),
      state(
        3,
        { tag: "1040", pen: "B2", arrived_at: "2026-08-14T13:31:00.000Z", official_weight_x10: 5980 },
        { seq: 4, op_id: "op-weigh" },
      ),
      state(
        4,
        { tag: "1042", pen: "B2", arrived_at: "2026-08-14T13:31:00.000Z", official_weight_x10: 5980, note: "Wet coat" },
        { seq: 5, op_id: "op-tag", reason: "Misread", ...dan },
      ),
    ],
    show,
  );
  expect(lines.map((line) => [line.text, line.source, line.reason])).toEqual([
    ["Dan saved tag 1042 and note “Wet coat”", "desk", "Misread"],
    ["Ana saved 598 lb", "phone", undefined],
    ["Ana checked it in, pen B2", "phone", undefined],
    ["Imported from the entries file: animal", "file", undefined],
  ]);
  expect(lines[0]?.changes).toEqual([
    { key: "a-1042 tag", label: "Tag", from: "1040", to: "1042" },
    { key: "a-1042 note", label: "Note", from: "None", to: "Wet coat" },
  ]);
  expect(lines[1]?.changes.map((change) => change.label)).toContain("Weight");
});

test("an older version comes back as a new one, without what the desk counts and without another arrival", () => {
  const wanted = state(2, {
    tag: "1040",
    pen: "B2",
    arrived_at: "2026-08-14T13:31:00.000Z",
    official_weight_x10: 5980,
  });
  const now = state(5, { tag: "1042", pen: "B2", arrived_at: "2026-08-14T15:00:00.000Z", official_weight_x10: 6120 });
  const plan = restorePlan(wanted, now, show);
  expect(plan.change).toEqual({
    table: "animals",
    id: "a-1042",
    operation: "update",
    base_version: 5,
    data: { tag: "1040" },
    base: { tag: "1042" },
  });
  expect(plan.fields).toEqual([{ field: "tag", label: "Tag", now: "1042", willBe: "1040" }]);
  expect(plan.stays).toEqual(["Checked in", "Weight"]);
  expect(restorePlan(now, now, show).fields).toEqual([]);
  expect(takenBack(plan.change, 6, "Undone")).toMatchObject({
    base_version: 6,
    data: { tag: "1042" },
    base: { tag: "1040" },
    reason: "Undone",
  });
});

test("weights and deleted states are not brought back, and the newest state of a row is found", () => {
  expect(canRestore(state(1, {}, { table: "weigh_ins" }))).toBe(false);
  expect(canRestore(state(2, {}, { deleted: true }))).toBe(false);
  expect(canRestore(state(2, {}))).toBe(true);
  expect(newestOf([state(2, {}), state(3, {}), state(1, {})]).get("a-1042")?.version).toBe(3);
});

test("an edit carries only what was typed otherwise, and says what is wrong with it", () => {
  const before = state(4, { tag: "1042", pen: "B2", note: null, init_weight_x10: 5980 });
  const typed = typedOf(before.snapshot);
  expect(typed.init_weight_x10).toBe("598");
  expect(editOf(before, { ...typed, tag: " 1043a ", pen: "" }, show)).toEqual({
    state: "ready",
    count: 2,
    change: {
      table: "animals",
      id: "a-1042",
      operation: "update",
      base_version: 4,
      data: { tag: "1043A", pen: null },
      base: { tag: "1042", pen: "B2" },
    },
  });
  expect(editOf(before, typed, show)).toMatchObject({ state: "ready", count: 0 });
  expect(editOf(before, { ...typed, init_weight_x10: "heavy" }, show).state).toBe("invalid");
});

test("a weight far from the one before is asked about", () => {
  expect(weightOf("612.5", undefined)).toEqual({ x10: 6125, isFar: false });
  expect(weightOf("612", 5980)).toEqual({ x10: 6120, isFar: false });
  expect(weightOf("512", 5980)).toEqual({ x10: 5120, isFar: true });
  expect(weightOf("", 5980)).toBeUndefined();
});

const change: RowChange = {
  table: "animals",
  id: "a-1042",
  operation: "update",
  base_version: 4,
  data: { pen: "C1" },
  base: { pen: "B2" },
};
const said = { subject: "#1042", saved: "#1042: saved.", back: (now: number) => takenBack(change, now, "Undone") };

function saves(write: DeskApi["write"]): { saves: Saves; desk: Desk } {
  const desk = new Desk(fakeApi([], { write }));
  return { saves: new Saves(desk), desk };
}

test("a saved change can be undone by the version it wrote", async () => {
  const sent: Change[] = [];
  const made = saves((one) => {
    sent.push(one);
    return Promise.resolve({ verdict: "saved", version: 4 + sent.length });
  });
  expect(await made.saves.save(change, said)).toBe(true);
  made.desk.toasts.act();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(sent[1]).toMatchObject({ base_version: 5, data: { pen: "B2" }, base: { pen: "C1" }, reason: "Undone" });
  expect(made.desk.toasts.current?.text).toMatch(/as it was before/);
});

test("a change that got no answer is kept, says so, and is sent again under the same name", async () => {
  const names: string[] = [];
  const made = saves((one) => {
    names.push(one.op_id);
    return Promise.reject(new Unreachable("network"));
  });
  expect(await made.saves.save(change, said)).toBe(false);
  expect(made.saves.problem).toMatch(/still here/);
  await made.saves.save(change, said);
  await made.saves.save({ ...change, data: { pen: "C2" } }, said);
  expect(names[1]).toBe(names[0]);
  expect(names[2]).not.toBe(names[0]);
});

test("a refusal says why and that the entry is safe, and a clash leads to where it is decided", async () => {
  const refused = saves(() =>
    Promise.resolve({
      verdict: "refused",
      error: { code: "locked", detail: "results are official", fields: { pen: "locked" } },
    }),
  );
  expect(await refused.saves.save(change, said)).toBe(false);
  expect(refused.saves.problem).toBe("Not saved: Results are official. The entry is safe and as it was before.");
  expect(refused.saves.faults).toEqual({ pen: "locked" });
  const waiting = saves(() => Promise.resolve({ verdict: "waits", conflict_id: "c-9" }));
  expect(await waiting.saves.save(change, said)).toBe(true);
  expect(waiting.desk.toasts.current?.text).toMatch(/kept/);
  waiting.desk.toasts.act();
  expect(location.hash).toBe("#/needs-checking/c-9");
});
