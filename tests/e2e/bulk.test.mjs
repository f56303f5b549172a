// Many clashes decided together: a rule, a preview of every value, some left out, one undo.

import assert from "node:assert/strict";
import { test } from "node:test";

import { complaints } from "./harness/browser.mjs";
import { stand } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";
import { becomes, clash, twoWeights } from "./scenes/clashes.mjs";

const here = stand({ demo: "small" });

/** The first pair lies far apart: perhaps two animals. */
const phoneX10 = (/** @type {number} */ place) => (place === 0 ? 2900 : 2420 + 10 * place);
const laptopX10 = (/** @type {number} */ place) => 2400 + 10 * place;

test("five weights: two are left out, three are decided as previewed, and one undo takes all three back", async () => {
  const COUNT = 5;
  const phone = await here.desk.phone("Maria Ruiz", ["scale"]);
  const animals = await here.animals(
    (animal) => animal.species === "swine" && animal.official_weight_x10 === null,
    COUNT,
  );
  const clashes = [];
  for (const [place, animal] of animals.entries()) {
    clashes.push(
      await twoWeights(here, phone, animal, {
        phone: phoneX10(place),
        laptop: laptopX10(place),
      }),
    );
  }
  const page = await here.deskPage("#/needs-checking");
  const heard = complaints(page);
  for (const animal of animals) {
    await page.getByRole("checkbox", { name: new RegExp(`^Select .*${animal.tag}`) }).check();
  }
  await page.getByRole("button", { name: "Decide 5 together" }).click();
  const dialog = page.getByRole("dialog", { name: "Decide 5 together" });
  await dialog.getByRole("radio", { name: /^Use phone.s/ }).check();
  for (const [place, animal] of animals.entries()) {
    const row = dialog.getByRole("row").filter({ hasText: animal.tag });
    await row
      .getByText(`${phoneX10(place) / 10} lb`)
      .first()
      .waitFor();
  }
  const include = (/** @type {any} */ animal) =>
    dialog.getByRole("checkbox", {
      name: new RegExp(`^Decide .*${animal.tag}`),
    });
  assert.equal(await include(animals[0]).isChecked(), false, "a large gap starts left out");
  await include(animals[1]).uncheck();
  await dialog.getByText("2 left out stay in Needs checking.").waitFor();
  for (const one of clashes) assert.equal((await clash(here, one.id)).status, "open", "a preview writes nothing");
  await dialog.getByRole("button", { name: "Save 3 decisions" }).click();

  for (const one of clashes.slice(2)) await becomes(here, one, "resolved");
  for (const one of clashes.slice(0, 2)) assert.equal((await clash(here, one.id)).status, "open");
  for (const [place, animal] of animals.entries()) {
    const expected = place < 2 ? laptopX10(place) : phoneX10(place);
    assert.equal((await here.now(animal)).official_weight_x10, expected);
  }
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  for (const one of clashes) await becomes(here, one, "open");
  await until("the weights are as before", async () => (await here.now(animals[4])).official_weight_x10 === 2440);
  assert.deepEqual(heard, []);
  await page.context().close();
});
