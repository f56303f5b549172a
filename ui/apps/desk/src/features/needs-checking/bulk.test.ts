import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { BulkResolve, ConflictView } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { cards, conflict, placing, show } from "../../testing/samples.ts";
import { changeText, columns, doubt, sideUnder } from "./bulk.ts";
import { Bulk } from "./bulk.svelte.ts";

const near = conflict();
const apart = conflict({ id: "c-apart", server_data: { init_weight_x10: 6600 } });
const tags = conflict({ id: "c-tags", contested: ["tag"], client_data: { tag: "1047" }, server_data: { tag: "1074" } });

function weighed(client: string | null, server: string | null): ConflictView {
  const side = (scale: string | null) => ({ record_id: "w", scale, source: "manual" });
  return conflict({ weigh_ins: { client: side(client), server: side(server) } });
}

test("two weights that lie far apart start left out, with the reason", () => {
  expect(doubt(near, show)).toBeUndefined();
  expect(doubt(apart, show)).toBe("39 lb apart");
});

test.each([
  [tags, "Two tags, check alone"],
  [conflict({ kind: "unique_violation", contested: ["tag"] }), "Wanted twice, check alone"],
  [conflict({ kind: "update_deleted" }), "Deleted, check alone"],
  [conflict({ kind: "missing_reference" }), "Missing, check alone"],
  [conflict({ kind: "rule", rule: "C6" }), "Placing, check alone"],
  [cards("C7", { a: placing("e-1", 1, 2) }), "Result card, check alone"],
])("what must be looked at alone starts left out", (view, reason) => {
  expect(doubt(view, show)).toBe(reason);
});

test("what a restored laptop lost is brought back together", () => {
  expect(doubt(conflict({ kind: "restored_server", server_data: undefined }), show)).toBeUndefined();
});

test("the latest is the one that was made later, by the corrected clock", () => {
  expect(sideUnder(near, "latest")).toEqual({ side: "phone" });
  const later = near.timeline.map((point) =>
    point.what === "server" ? { ...point, at: "2026-08-14T14:30:00.000Z" } : point,
  );
  expect(sideUnder(conflict({ timeline: later }), "latest")).toEqual({ side: "laptop" });
  const untold = conflict({ timeline: [], server_author: null });
  expect(sideUnder(untold, "latest")).toEqual({ without: "Time not known" });
});

test("the scale reading is the side that came from a scale, if one did", () => {
  expect(sideUnder(weighed("Scale A", null), "scale")).toEqual({ side: "phone" });
  expect(sideUnder(weighed(null, "Scale A"), "scale")).toEqual({ side: "laptop" });
  expect(sideUnder(weighed("Scale A", "Scale B"), "scale")).toEqual({ without: "Two scale readings" });
  expect(sideUnder(near, "scale")).toEqual({ without: "No scale reading" });
});

test("a card that contradicts itself is never taken as it is", () => {
  const card = cards("C8", { a: placing("e-1", 1, null) });
  expect(sideUnder(card, "phone")).toHaveProperty("without");
  expect(sideUnder(card, "laptop")).toEqual({ side: "laptop" });
});

test("the columns and the change say weights with their unit", () => {
  expect(columns(near, show)).toEqual({ was: "598 lb", phone: "621 lb", laptop: "612 lb" });
  const result = { id: near.id, outcome: "would_resolve", values: { init_weight_x10: 6210 } };
  expect(changeText(near, result, show)).toBe("+23 lb");
});

test("without a rule nothing is asked and nothing can be saved", async () => {
  const api = fakeApi([near, apart]);
  const bulk = new Bulk(new Desk(api), [near, apart]);
  expect(bulk.rule).toBeUndefined();
  expect(await bulk.save()).toBeUndefined();
  expect(api.bulks).toEqual([]);
});

test("the preview shows what the desk would write, and saving writes just that", async () => {
  const api = fakeApi([near, apart, tags]);
  const bulk = new Bulk(new Desk(api), [near, apart, tags]);
  bulk.pick("phone");
  await expect.poll(() => bulk.ready).toBe(true);
  expect(bulk.lines.map(({ included, result, why }) => [included, result, why])).toEqual([
    [true, "621 lb", ""],
    [false, "", "39 lb apart"],
    [false, "", "Two tags, check alone"],
  ]);
  await bulk.save();
  expect(api.bulks).toMatchObject([{ resolution: "client_wins", ids: [near.id], expected: { [near.id]: 7 } }]);
});

test("what was left out can be taken in, and is asked about again", async () => {
  const api = fakeApi([near, apart]);
  const bulk = new Bulk(new Desk(api), [near, apart]);
  bulk.pick("laptop");
  bulk.toggle(apart.id);
  await expect.poll(() => bulk.lines.map(({ result }) => result)).toEqual(["612 lb", "660 lb"]);
  expect(bulk.decided).toHaveLength(2);
});

test("sides that differ by clash are one decision", async () => {
  const scale = { ...weighed(null, "Scale A"), id: "c-laptop" };
  const other = { ...weighed("Scale A", null), id: "c-phone" };
  const api = fakeApi([scale, other]);
  const bulk = new Bulk(new Desk(api), [scale, other]);
  bulk.pick("scale");
  await expect.poll(() => bulk.ready).toBe(true);
  await bulk.save();
  expect(api.bulks).toMatchObject([
    { resolution: "client_wins", ids: ["c-laptop", "c-phone"], choices: { "c-laptop": "server_wins" } },
  ]);
});

test("what the desk would refuse is left out with its reason", async () => {
  const refuse = (request: BulkResolve) =>
    Promise.resolve({
      bulk_id: undefined,
      results: (request.ids ?? []).map((id) => ({
        id,
        outcome: "failed",
        values: {},
        error: { code: "server_moved", detail: "the value has changed since" },
      })),
    });
  const bulk = new Bulk(new Desk(fakeApi([near], { previewBulk: refuse })), [near]);
  bulk.pick("phone");
  await expect.poll(() => bulk.lines[0]?.why).toBe("The value has changed since.");
  expect(bulk.decided).toEqual([]);
});
