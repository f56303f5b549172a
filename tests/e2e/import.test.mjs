// The import wizard: a file is chosen, its columns matched, faults mended or left out, and all of it taken back at once.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";

const FILE = fileURLToPath(new URL("../vectors/demo-entries.csv", import.meta.url));

const { here, flow } = flows(DESK_LOOKS, { demo: "county" });

const counts = async () => {
  const { exhibitors, animals, entries } = await here.desk.running.get("/admin/overview");
  return [exhibitors, animals, entries];
};

flow("a file is looked at, one row is left out, the rest comes in, and one undo takes it back", async () => {
  const page = await here.deskPage("#/import");
  const heard = complaints(page);
  const before = await counts();
  await page.setInputFiles("input[type=file]", FILE);
  await page.getByRole("button", { name: "Check rows" }).click();
  await page.getByRole("button", { name: "Leave out rows with faults" }).click();
  const go = page.getByRole("button", { name: "Import 11 rows" });
  await go.waitFor();
  assert.deepEqual(await counts(), before, "nothing is written yet");

  await go.click();
  await page.getByText("11 rows came in.").first().waitFor();
  const [exhibitors, animals, entries] = before;
  assert.deepEqual(await counts(), [exhibitors + 10, animals + 11, entries + 11]);
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  await page.getByText("The import was taken back.").first().waitFor();
  assert.deepEqual(await counts(), before);
  assert.deepEqual(heard, []);
  await page.context().close();
});

flow("a file with other headings is matched by hand, and a faulty cell is mended in its row", async () => {
  const [first = "", ...rest] = readFileSync(FILE, "utf8").split("\n");
  const renamed = [first.replace("back_number", "Their number").replace("tag", "Yellow thing"), ...rest].join("\n");
  const page = await here.deskPage("#/import");
  const heard = complaints(page);
  const before = await counts();
  await page.setInputFiles("input[type=file]", {
    name: "odd.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(renamed),
  });
  await page.getByRole("combobox", { name: "Their number goes to" }).selectOption("back_number");
  await page.getByRole("combobox", { name: "Yellow thing goes to" }).selectOption("tag");
  await page.getByRole("button", { name: "Check rows" }).click();
  await page.getByRole("textbox", { name: "Tag of row 13" }).fill("1199");
  await page
    .getByRole("button", { name: /^Save tag/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Import 12 rows" }).click();
  await page.getByText("12 rows came in.").first().waitFor();
  const [, animals, entries] = before;
  const after = await counts();
  assert.deepEqual(after.slice(1), [animals + 12, entries + 12]);
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  await page.getByText("The import was taken back.").first().waitFor();
  assert.deepEqual(await counts(), before);
  assert.deepEqual(heard, []);
  await page.context().close();
});
