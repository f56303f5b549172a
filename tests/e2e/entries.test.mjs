// Entries: found by any number, seen with every version, and an old version brought back as a new one.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { update } from "./harness/ops.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";
import { rowOf } from "./scenes/clashes.mjs";

const { here, flow } = flows(DESK_LOOKS, { demo: "county" });

flow("an animal is found from every page by its tag, its old tag and its exhibitor's name", async () => {
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

flow("the record shows every version and who made it, and an old one is restored as a new one", async () => {
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

flow("nothing found says what else to try, and the filter chips say how many there are", async () => {
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

flow(
  "a late entry is added for an exhibitor who is here and for a new one, and undo takes all of it away",
  async () => {
    const rows = await here.desk.office.rows("exhibitors");
    const owner = rows.find((row) => row.data["last_name"] === "Linden");
    assert.ok(owner);
    const page = await here.deskPage("#/entries");
    const heard = complaints(page);
    const dialog = page.getByRole("dialog", { name: "Add an entry" });
    const choose = (/** @type {string} */ name) => dialog.getByRole("combobox", { name });
    const begin = () => page.getByRole("button", { name: "Add an entry" }).click();
    const entered = async () => (await here.desk.office.rows("entries")).length;
    const before = await entered();

    await begin();
    await dialog.getByRole("searchbox", { name: "Find an exhibitor" }).fill(String(owner.data["back_number"]));
    await dialog.getByRole("button", { name: new RegExp(`^#${owner.data["back_number"]} `) }).click();
    await choose("Species").selectOption("sheep");
    await dialog.getByRole("textbox", { name: "Tag" }).fill("late-1");
    await dialog.getByRole("button", { name: "Add entry" }).click();
    await dialog.getByText("Choose the class.").waitFor();
    await choose("Class").selectOption({ index: 1 });
    await dialog.getByRole("button", { name: "Add entry" }).click();
    await page.getByRole("heading", { name: /LATE-1/ }).waitFor();
    const added = (await here.desk.office.rows("entries")).filter((row) => row.data["is_addon"] === true);
    assert.equal(added.length, 1, "it is a late entry");
    assert.equal(added[0]?.data["exhibitor_id"], owner.record_id);

    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText(/^Undone\. #LATE-1/).waitFor();
    assert.equal(await entered(), before);

    await begin();
    await dialog.getByRole("button", { name: "New exhibitor" }).click();
    await dialog.getByRole("textbox", { name: "First name" }).fill("Ida");
    await dialog.getByRole("textbox", { name: "Last name" }).fill("Reyes");
    await choose("Animal").selectOption("None: showmanship");
    await choose("Class").selectOption({ index: 1 });
    await dialog.getByRole("button", { name: "Add entry" }).click();
    await page.getByText(/^Ida Reyes is entered in/).waitFor();
    assert.equal(await entered(), before + 1);
    const people = await here.desk.office.rows("exhibitors");
    assert.equal(
      people.filter((row) => row.data["last_name"] === "Reyes" && row.data["first_name"] === "Ida").length,
      1,
    );
    assert.deepEqual(heard, []);
    await page.context().close();
  },
);

flow("a record is corrected, weighed again and scratched at the desk, and each is taken back", async () => {
  const entries = await here.desk.office.rows("entries");
  const classesOf = (/** @type {any} */ one) => entries.filter((entry) => entry.data["animal_id"] === one.animal_id);
  const [animal] = await here.animals(
    (one) => one.official_weight_x10 !== null && one.pen !== null && classesOf(one).length === 1,
    1,
  );
  const [entered] = classesOf(animal);
  assert.ok(entered);
  const outReason = async () =>
    (await here.desk.office.rows("entries")).find(({ record_id }) => record_id === entered.record_id)?.data[
      "out_reason"
    ] ?? null;
  const page = await here.deskPage(`#/entries/${animal.animal_id}?q=${animal.tag}`);
  const heard = complaints(page);
  const drawer = page.getByRole("region", { name: new RegExp(animal.tag) });
  const undo = page.getByRole("button", { name: /^Undo/ });
  const takeBack = async () => {
    await undo.click();
    await page.getByText(`Undone. #${animal.tag} is as it was before.`).last().waitFor();
  };

  await drawer.getByRole("button", { name: "Edit" }).click();
  const edit = page.getByRole("dialog", { name: `Edit #${animal.tag}` });
  await edit.getByRole("textbox", { name: "Pen" }).fill("Q17");
  await edit.getByRole("button", { name: "Save 1 change" }).click();
  await drawer.getByText("Q17").first().waitFor();
  assert.equal((await here.now(animal)).pen, "Q17");
  await takeBack();
  assert.equal((await here.now(animal)).pen, animal.pen);

  const weightX10 = animal.official_weight_x10 + 20;
  await drawer.getByRole("button", { name: "Re-weigh" }).click();
  const weigh = page.getByRole("dialog", { name: `Re-weigh #${animal.tag}` });
  await weigh.getByRole("textbox", { name: /^Weight in/ }).fill("heavy");
  await weigh.getByRole("button", { name: "Save weight" }).click();
  await weigh.getByText("Type a weight such as 612 or 612.5.").waitFor();
  await weigh.getByRole("textbox", { name: /^Weight in/ }).fill(String(weightX10 / 10));
  await weigh.getByRole("button", { name: /^Save \d/ }).click();
  await until("it is weighed", async () => (await here.now(animal)).official_weight_x10 === weightX10);
  await takeBack();
  await until(
    "the weight before counts again",
    async () => (await here.now(animal)).official_weight_x10 === animal.official_weight_x10,
  );

  await drawer.getByRole("button", { name: "Scratch…" }).click();
  const scratch = page.getByRole("dialog", { name: `Scratch #${animal.tag}?` });
  await scratch.getByRole("button", { name: "Scratch", exact: true }).click();
  await scratch.getByText("Type why. It goes in the history.").waitFor();
  await scratch.getByRole("textbox", { name: "Reason" }).fill("Lame");
  await scratch.getByRole("button", { name: "Scratch", exact: true }).click();
  await until("it is out", async () => (await outReason()) === "scratch");
  await takeBack();
  assert.equal(await outReason(), null);
  assert.deepEqual(heard, []);
  await page.context().close();
});
