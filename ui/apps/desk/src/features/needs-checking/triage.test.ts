import { expect, test } from "vitest";

import type { ConflictView, Severity } from "../../data/desk-api.ts";
import { conflict, refused, show } from "../../testing/samples.ts";
import { byUrgency, openSections, pastSections } from "./triage.ts";

const outage: ConflictView["outage"] = {
  device_id: "d-maria",
  device_name: "Maria",
  away_from: "2026-08-14T14:05:00.000Z",
  back_at: "2026-08-14T14:41:00.000Z",
};

function shown(code: string, planned_at: string | null, status = "scheduled"): NonNullable<ConflictView["class"]> {
  return { id: `k-${code}`, code, name: "Market Steer", ring: "Ring 2", planned_at, status };
}

function clash(id: string, severity: Severity, change: Partial<ConflictView> = {}): ConflictView {
  return conflict({ id, severity, ...change });
}

const ids = (views: readonly ConflictView[]) => views.map((view) => view.id);

test("severity comes first, then the time until the class begins, then age", () => {
  const soon = shown("6", "2026-08-14T16:00:00.000Z");
  const later = shown("7", "2026-08-14T18:00:00.000Z");
  const ordered = byUrgency([
    clash("note", "notes", { class: soon }),
    clash("young", "placing", { opened_at: "2026-08-14T15:00:00.000Z" }),
    clash("old", "placing", { opened_at: "2026-08-14T14:00:00.000Z" }),
    clash("later", "placing", { class: later }),
    clash("soon", "placing", { class: soon }),
    clash("result", "results"),
  ]);
  expect(ids(ordered)).toEqual(["result", "soon", "later", "old", "young", "note"]);
});

test("a class that is over hurries nobody", () => {
  const over = clash("over", "placing", { class: shown("5", "2026-08-14T13:00:00.000Z", "official") });
  const soon = clash("soon", "placing", { class: shown("6", "2026-08-14T16:00:00.000Z") });
  expect(ids(byUrgency([over, soon]))).toEqual(["soon", "over"]);
});

test("results, then what was not accepted, then absences and classes, then what stands alone", () => {
  const sections = openSections(
    [
      clash("alone", "placing"),
      clash("a", "placing", { outage }),
      clash("b", "placing", { outage }),
      clash("c", "placing", { class: shown("12", null) }),
      clash("d", "placing", { class: shown("12", null) }),
      clash("result", "results"),
    ],
    [refused()],
    show,
  );
  expect(sections.map(({ title, entries }) => [title, entries.map(({ id }) => id)])).toEqual([
    ["Blocks results today", ["result"]],
    ["Not accepted", ["o-9"]],
    ["Maria’s phone, away 9:05–9:41", ["a", "b"]],
    ["Class 12, Market Steer", ["c", "d"]],
    ["One by one", ["alone"]],
  ]);
});

test("one entry of an absence stands with those that stand alone", () => {
  const sections = openSections([clash("a", "placing", { outage }), clash("b", "placing")], [], show);
  expect(sections.map(({ entries }) => entries.length)).toEqual([2]);
});

test("what stands alone comes before a group that matters less", () => {
  const notes = ["a", "b"].map((id) => clash(id, "notes", { outage }));
  const sections = openSections([...notes, clash("alone", "placing")], [], show);
  expect(sections.map(({ entries }) => entries.map(({ id }) => id))).toEqual([["alone"], ["a", "b"]]);
});

test("only clashes can be decided together", () => {
  const sections = openSections([clash("a", "results")], [refused()], show);
  expect(sections.map(({ selectable }) => selectable)).toEqual([true, false]);
});

test("what is past is told newest first, today apart from the days before", () => {
  const decided = (id: string, at: string) => clash(id, "placing", { status: "resolved", resolved_at: at });
  const items = [decided("yesterday", "2026-08-13T15:00:00Z"), decided("early", "2026-08-14T14:00:00Z")];
  const sections = pastSections([...items, decided("late", "2026-08-14T15:00:00Z")], "Today", "Before", (iso) =>
    iso.startsWith("2026-08-14"),
  );
  expect(sections.map(({ title, entries }) => [title, entries.map(({ id }) => id)])).toEqual([
    ["Today", ["late", "early"]],
    ["Before", ["yesterday"]],
  ]);
});
