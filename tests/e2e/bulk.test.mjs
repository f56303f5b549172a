// Many clashes decided together: a rule, a preview of every value, some left out, one undo.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";
import { becomes, clash, decideTheRest, twoWeights } from "./scenes/clashes.mjs";

const { here, flow } = flows(DESK_LOOKS, { demo: "small" }, { ends: () => decideTheRest(here) });

/** More stops than the page has. */
const STOPS_MAX = 80;

/**
 * Goes on by Tab until this has the focus.
 * @param {import("playwright-core").Locator} wanted
 */
async function tabTo(wanted) {
  const hasFocus = () => wanted.evaluate((element) => element === document.activeElement);
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    if (await hasFocus()) return;
    await wanted.page().keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${wanted}`);
}

/** The first pair lies far apart: perhaps two animals. */
const phoneX10 = (/** @type {number} */ place) => (place === 0 ? 2900 : 2420 + 10 * place);
const laptopX10 = (/** @type {number} */ place) => 2400 + 10 * place;

flow("five weights: two are left out, three are decided as previewed, and one undo takes all three back", async () => {
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

flow("three weights are selected, decided together and taken back by keys alone", async () => {
  const COUNT = 3;
  const phone = await here.desk.phone("Sam Lee", ["scale"]);
  const animals = await here.animals((animal) => animal.official_weight_x10 === null, COUNT);
  const clashes = [];
  for (const animal of animals) {
    clashes.push(await twoWeights(here, phone, animal, { phone: 2_460, laptop: 2_400 }));
  }
  const page = await here.deskPage("#/needs-checking");
  const heard = complaints(page);
  const press = (/** @type {string} */ key) => page.keyboard.press(key);
  await page.getByText("1 of 3", { exact: true }).waitFor();
  await press("x");
  await page.getByText("1 selected").waitFor();
  await press("j");
  await page.getByText("2 of 3", { exact: true }).waitFor();
  await press("j");
  await page.getByText("3 of 3", { exact: true }).waitFor();
  await press("Shift+X");
  const together = page.getByRole("button", { name: "Decide 3 together" });
  await together.waitFor();
  await tabTo(together);
  await press("Enter");

  const dialog = page.getByRole("dialog", { name: "Decide 3 together" });
  await dialog.waitFor();
  await tabTo(dialog.getByRole("radio").first());
  await press("Space");
  const rule = dialog.getByRole("radio", { name: /^Use phone.s/ });
  for (let step = 0; step < 4 && !(await rule.isChecked()); step += 1) await press("ArrowDown");
  const save = dialog.getByRole("button", { name: "Save 3 decisions" });
  await save.waitFor();
  await tabTo(save);
  await press("Enter");
  for (const one of clashes) await becomes(here, one, "resolved");
  for (const animal of animals) assert.equal((await here.now(animal)).official_weight_x10, 2_460);

  await page.getByText(/^Nothing to check\./).waitFor();
  await press("u");
  for (const one of clashes) await becomes(here, one, "open");
  for (const animal of animals) {
    await until(`${animal.tag} weighs what it did`, async () => (await here.now(animal)).official_weight_x10 === 2_400);
  }
  assert.deepEqual(heard, []);
  await page.context().close();
});
