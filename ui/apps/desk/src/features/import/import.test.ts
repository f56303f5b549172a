import { ApiProblem } from "@showdesk/api";
import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, ImportPreview } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { Import } from "./import.svelte.ts";
import { issuesByRow, rowGroups } from "./rows.ts";

const preview: ImportPreview = {
  import_id: "i-1",
  new: 1,
  changed: 0,
  same: 1,
  errors: [
    { row: 2, column: "weight", severity: "warning", code: "below_minimum", message: "Light" },
    { row: 4, column: "tag", severity: "error", code: "duplicate_tag", message: "Twice" },
  ],
  rows: [
    { row: 2, state: "new", data: { tag: "0412" }, changes: {} },
    { row: 3, state: "same", data: { tag: "0413" }, changes: {} },
    { row: 4, state: "error", data: { tag: "0412" }, changes: {} },
  ],
};

const file = new File(["tag\n0412\n"], "entries.csv");

function job(change: Partial<DeskApi>): Import {
  const api = fakeApi([], { previewImport: () => Promise.resolve(preview), ...change });
  return new Import(new Desk(api));
}

test("rows with a fault stay apart from rows worth a look", () => {
  const groups = rowGroups(preview);
  expect(groups.fix.map((row) => row.row)).toEqual([4]);
  expect(groups.check.map((row) => row.row)).toEqual([2]);
  expect(issuesByRow(preview.errors).get(4)).toHaveLength(1);
});

test("a file is read, imported and taken back", async () => {
  const undone: string[] = [];
  const result = { import_id: "i-1", written: { animals: 1 }, clock: 9 };
  const importing = job({
    confirmImport: () => Promise.resolve(result),
    undoImport: (id) => {
      undone.push(id);
      return Promise.resolve(result);
    },
  });
  await importing.read(file);
  expect(importing.state).toMatchObject({ step: "rows", name: "entries.csv" });
  await importing.confirm();
  expect(importing.state).toMatchObject({ step: "done", rows: 1 });
  await importing.undo();
  expect(undone).toEqual(["i-1"]);
  expect(importing.undone).toBe(true);
});

test("a preview that the show has overtaken is read again and nothing is imported", async () => {
  const more = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
  let reads = 0;
  const importing = job({
    previewImport: () => {
      reads += 1;
      return Promise.resolve(preview);
    },
    confirmImport: () => Promise.reject(new ApiProblem(409, "preview_overtaken", "overtaken", "never", more)),
  });
  await importing.read(file);
  await importing.confirm();
  expect(reads).toBe(2);
  expect(importing.state.step).toBe("rows");
  expect(importing.problem).toMatch(/Nothing was imported/);
});

test("a file that cannot be read says why", async () => {
  const more = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
  const importing = job({
    previewImport: () => Promise.reject(new ApiProblem(422, "unsupported_file", "The file is empty.", "never", more)),
  });
  await importing.read(file);
  expect(importing.problem).toBe("The file is empty.");
  expect(importing.state.step).toBe("file");
});
