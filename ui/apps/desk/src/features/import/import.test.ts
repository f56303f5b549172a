import { ApiProblem } from "@showdesk/api";
import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, ImportChoices, ImportPart, ImportPreview } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { show } from "../../testing/samples.ts";
import { matched, missingFrom } from "./columns.ts";
import { Import } from "./import.svelte.ts";
import { CELL_COLUMNS, changeTexts, issuesByRow, saidOf } from "./row-text.ts";
import { writtenTexts } from "./written.ts";

const preview: ImportPreview = {
  import_id: "i-1",
  name: "entries.csv",
  status: "previewed",
  new: 1,
  changed: 0,
  same: 1,
  faulty: 1,
  left_out: 0,
  check: 1,
  total: 3,
  header: [
    { index: 0, title: "Exh", samples: ["101"], column: "back_number" },
    { index: 1, title: "Ear", samples: ["0412"], column: "tag" },
    { index: 2, title: "?", samples: [], column: null },
  ],
  columns: [
    { name: "back_number", required: true },
    { name: "tag", required: true },
    { name: "official_id", required: true },
    { name: "pen", required: false },
  ],
  missing: [],
  choices: { columns: null, fixes: [], leave_out: [] },
  errors: [
    { row: 2, column: "weight", severity: "warning", code: "below_minimum", message: "Light" },
    { row: 2, column: "init_weight", severity: "warning", code: "missing_start_weight", message: "Blank" },
    { row: 4, column: "tag", severity: "error", code: "duplicate_tag", message: "Twice" },
  ],
  rows: [
    { row: 2, state: "new", data: { tag: "0412", weight: "1148" }, changes: {} },
    { row: 3, state: "same", data: { tag: "0413" }, changes: {} },
    { row: 4, state: "error", data: { tag: "0412" }, changes: {} },
  ],
};

const file = new File(["tag\n0412\n"], "entries.csv");
const more = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };

function job(change: Partial<DeskApi> = {}): { importing: Import; chosen: ImportChoices[]; parts: ImportPart[] } {
  const chosen: ImportChoices[] = [];
  const parts: ImportPart[] = [];
  const api = fakeApi([], {
    previewImport: () => Promise.resolve(preview),
    chooseForImport: (_id, choices, part) => {
      chosen.push(choices);
      parts.push(part);
      return Promise.resolve(preview);
    },
    importRows: (_id, part) => {
      parts.push(part);
      return Promise.resolve(part.state === "error" ? { ...preview, rows: preview.rows.slice(2), total: 1 } : preview);
    },
    ...change,
  });
  return { importing: new Import(new Desk(api)), chosen, parts };
}

async function atRows(change: Partial<DeskApi> = {}) {
  const made = job(change);
  await made.importing.read(file);
  await made.importing.check();
  return made;
}

test("a column has one meaning, and its old owner gives it up", () => {
  expect(matched(["back_number", "tag", null], 2, "tag")).toEqual({ matches: ["back_number", null, "tag"], taken: 1 });
  expect(matched(["back_number", "tag", null], 1, null)).toEqual({
    matches: ["back_number", null, null],
    taken: undefined,
  });
});

test("of tag and official number one is enough", () => {
  expect(missingFrom(preview, ["back_number", "official_id", null])).toEqual([]);
  expect(missingFrom(preview, [null, "tag", null])).toEqual(["Exhibitor #"]);
  expect(missingFrom(preview, ["back_number", null, null])).toEqual(["Tag or Official ID"]);
});

test("a file is matched, checked, imported and taken back", async () => {
  const undone: string[] = [];
  const result = { import_id: "i-1", written: { animals: 1 }, clock: 9 };
  const { importing, chosen } = job({
    confirmImport: () => Promise.resolve(result),
    undoImport: (id) => {
      undone.push(id);
      return Promise.resolve(result);
    },
  });
  await importing.read(file);
  expect(importing.state).toMatchObject({ step: "match", name: "entries.csv" });
  importing.match(0, null);
  await importing.check();
  expect(importing.state.step).toBe("match");
  importing.match(0, "back_number");
  await importing.check();
  expect(importing.state).toMatchObject({ step: "rows", name: "entries.csv" });
  expect(chosen).toEqual([{ columns: ["back_number", "tag", null], fixes: [], leave_out: [] }]);
  await importing.confirm();
  expect(importing.state).toMatchObject({ step: "done", rows: 1 });
  await importing.undo();
  expect(undone).toEqual(["i-1"]);
  expect(importing.undone).toBe(true);
});

test("cells are put right and rows left out, each time with everything that was chosen", async () => {
  const { importing, chosen } = await atRows();
  await importing.fix(4, "tag", "0499");
  await importing.fix(4, "tag", "0500");
  await importing.leaveOut([2]);
  await importing.leaveOutFaults();
  await importing.takeIn(2);
  expect(chosen.at(-1)).toEqual({
    columns: ["back_number", "tag", null],
    fixes: [{ row: 4, column: "tag", value: "0500" }],
    leave_out: [4],
  });
});

test("a fix that did not arrive is not kept, and nothing is lost", async () => {
  let away = false;
  const chosen: ImportChoices[] = [];
  const { importing } = await atRows({
    chooseForImport: (_id, choices) => {
      if (away) return Promise.reject(new ApiProblem(503, "busy", "The desk is busy", "later", more));
      chosen.push(choices);
      return Promise.resolve(preview);
    },
  });
  away = true;
  await importing.fix(4, "tag", "0499");
  expect(importing.problem).toMatch(/choices are still here/);
  away = false;
  await importing.leaveOut([4]);
  expect(chosen.at(-1)).toMatchObject({ fixes: [], leave_out: [4] });
});

test("rows of one kind and more rows are asked for as they are looked at", async () => {
  const { importing, parts } = await atRows();
  await importing.pick("error");
  expect(parts.at(-1)).toEqual({ state: "error", offset: 0, limit: 100 });
  await importing.more();
  expect(parts.at(-1)).toEqual({ state: "error", offset: 1, limit: 100 });
});

test("a preview that the show has overtaken is planned again and nothing is imported", async () => {
  const { importing, chosen } = await atRows({
    confirmImport: () => Promise.reject(new ApiProblem(409, "preview_overtaken", "overtaken", "never", more)),
  });
  await importing.confirm();
  expect(chosen).toHaveLength(2);
  expect(importing.state.step).toBe("rows");
  expect(importing.problem).toMatch(/Nothing was imported/);
});

test("a file that cannot be read says why", async () => {
  const { importing } = job({
    previewImport: () => Promise.reject(new ApiProblem(422, "unsupported_file", "The file is empty.", "never", more)),
  });
  await importing.read(file);
  expect(importing.problem).toBe("The file is empty. Nothing was changed.");
  expect(importing.state.step).toBe("file");
});

test("faults are said on every row, the usual blanks only where one looks for them", () => {
  const issues = issuesByRow(preview);
  const [light, same, twice] = preview.rows;
  if (light === undefined || same === undefined || twice === undefined) throw new Error("three rows");
  const codes = (row: typeof light, onlyChecks: boolean, accepted: boolean) =>
    saidOf(row, issues.get(row.row) ?? [], { onlyChecks, accepted }).map((issue) => issue.code);
  expect(codes(light, false, false)).toEqual(["below_minimum"]);
  expect(codes(light, true, false)).toEqual(["below_minimum", "missing_start_weight"]);
  expect(codes(light, false, true)).toEqual([]);
  expect(codes(twice, false, true)).toEqual(["duplicate_tag"]);
});

test("cells and what was written read as people say them", () => {
  const weight = CELL_COLUMNS.find((column) => column.id === "weight");
  expect(weight?.text({ row: 2, state: "new", data: { weight: "1148" }, changes: {} }, show)).toBe("1,148 lb");
  expect(weight?.text({ row: 2, state: "new", data: { weight: "heavy" }, changes: {} }, show)).toBe("heavy");
  const changed = { row: 2, state: "changed", data: {}, changes: { pen: ["B1", "B2"] } };
  expect(changeTexts(changed, show)).toEqual(["Pen: B1 → B2"]);
  expect(writtenTexts({ weigh_ins: 9, animals: 11, classes: 0 })).toEqual(["11 animals", "9 weights"]);
});
