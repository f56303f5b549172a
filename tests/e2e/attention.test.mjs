// Entries that the desk did not accept: shown, saved for their author with one tap, tried again, or left out.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { having, update, weighing } from "./harness/ops.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";
import { rowOf } from "./scenes/clashes.mjs";

const { here, flow } = flows(DESK_LOOKS, { demo: "small" });

/** @param {string} stage */
async function setStage(stage) {
  const [show] = await here.desk.office.rows("shows");
  assert.ok(show);
  await here.desk.office.apply([having(update("shows", show, { stage }), { reason: "For this test" })]);
}

const waiting = async () => (await here.desk.running.get("/admin/queue")).items;

flow("a weight that came after weighing closed is saved for its author, and another is left out", async () => {
  const phone = await here.desk.phone("Maria Ruiz", ["scale"]);
  const [late, unwanted] = await here.animals((animal) => animal.official_weight_x10 === null, 2);
  await setStage("D");
  const results = await phone.push([
    weighing(await rowOf(here, late), 2_520),
    weighing(await rowOf(here, unwanted), 2_610),
  ]);
  assert.deepEqual(
    results.map(({ verdict }) => verdict),
    ["rejected", "rejected"],
  );

  const page = await here.deskPage();
  const heard = complaints(page);
  await page
    .getByRole("link", { name: /Look now/ })
    .first()
    .click();
  await page.getByText("Not accepted", { exact: true }).first().waitFor();
  await page.getByText(new RegExp(late.tag)).first().click();
  await page
    .getByText(/Nothing is lost/)
    .first()
    .waitFor();
  await page.getByRole("button", { name: /^Save for Maria/ }).click();
  await until("the late weight counts", async () => (await here.now(late)).official_weight_x10 === 2520);

  await page.getByText(new RegExp(unwanted.tag)).first().click();
  await page.getByRole("button", { name: /^Leave out/ }).click();
  await until("nothing needs attention", async () => (await waiting()).length === 0);
  assert.equal((await here.now(unwanted)).official_weight_x10, null);
  assert.deepEqual(heard, []);
  await page.context().close();
});
