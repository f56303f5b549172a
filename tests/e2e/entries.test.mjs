// Entries: found by any number, seen with every version, and an old version brought back as a new one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { complaints } from "./harness/browser.mjs";
import { update } from "./harness/ops.mjs";
import { stand } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";
import { rowOf } from "./scenes/clashes.mjs";

const here = stand({ demo: "county" });

test("an animal is found from every page by its tag, its old tag and its exhibitor's name", async () => {
  const [animal] = await here.animals((one) => one.species === "sheep", 1);
  await here.desk.office.apply([update("animals", await rowOf(here, animal), { tag: "70123" })]);
  const page = await here.deskPage("#/import");
  const heard = complaints(page);
  const find = page.getByRole("combobox", {
    name: "Find by any number or name",
  });
  for (const number of ["70123", animal.tag]) {
    await page.keyboard.press("Control+k");
    await find.fill(number);
    await page.getByRole("option").filter({ hasText: "70123" }).first().waitFor();
    await page.keyboard.press("Escape");
  }
  await page.keyboard.press("Control+k");
  await find.fill("70123");
  await page.getByRole("option").filter({ hasText: "70123" }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /70123/ }).first().waitFor();
  assert.match(page.url(), /#\/entries/);
  assert.deepEqual(heard, []);
  await page.context().close();
});

test("the record shows every version and who made it, and an old one is restored as a new one", async () => {
  const [, animal] = await here.animals((one) => one.species === "goat" && one.pen !== null, 2);
  const before = animal.pen;
  await here.desk.office.apply([update("animals", await rowOf(here, animal), { pen: "Z99" })]);
  const page = await here.deskPage(`#/entries/${animal.animal_id}?q=${animal.tag}`);
  const heard = complaints(page);
  const drawer = page.getByRole("region", { name: new RegExp(animal.tag) });
  await drawer.getByText("Z99").first().waitFor();
  await drawer.getByRole("heading", { name: "History" }).first().waitFor();
  const versions = drawer.getByRole("button", { expanded: false });
  await versions.last().click();
  await drawer.getByRole("button", { name: "Restore this version" }).click();
  const dialog = page.getByRole("dialog", { name: /^Restore/ });
  await dialog.getByText(before).first().waitFor();
  await dialog.getByRole("button", { name: /^Restore \d+ field/ }).click();
  await until("the pen is as it was", async () => (await here.now(animal)).pen === before);
  const { items } = await here.desk.running.get(`/admin/records/animals/${animal.animal_id}/history`);
  assert.ok(items.length >= 3, "a restored version is a new one, and none is lost");
  assert.deepEqual(heard, []);
  await page.context().close();
});

test("nothing found says what else to try, and the filter chips say how many there are", async () => {
  const page = await here.deskPage("#/entries");
  await page.getByRole("row").nth(3).waitFor();
  const waiting = (await here.desk.office.rows("animals")).filter((row) => row.data["arrived_at"] === null).length;
  await page
    .getByRole("button", { name: /^Not arrived/ })
    .or(page.getByRole("radio", { name: /^Not arrived/ }))
    .first()
    .click();
  await page
    .getByText(new RegExp(`${waiting} animals`))
    .first()
    .waitFor();
  await page.getByRole("searchbox", { name: "Search entries" }).fill("no such animal");
  await page.getByText("Nothing found for “no such animal”.").waitFor();
  await page.context().close();
});
