// Needs checking: the same clashes decided by keyboard only and by mouse only.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { update } from "./harness/ops.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";
import { becomes, clash, decideTheRest, rowOf, twoTags, twoWeights } from "./scenes/clashes.mjs";

/** Animals of this look's desk that have had a clash. */
let used = 0;

const { here, flow } = flows(
  DESK_LOOKS,
  { demo: "small" },
  {
    begins: () => {
      used = 0;
    },
    ends: () => decideTheRest(here),
  },
);

/** Three clashes on animals that nobody else uses: a tag, a weight, a tag. */
async function threeClashes() {
  const phone = await here.desk.phone(`Maria ${used}`, ["superintendent", "scale"]);
  const animals = await here.animals((animal) => animal.official_weight_x10 === null, used + 3);
  const [one, other, third] = animals.slice(used);
  used += 3;
  const tag = await twoTags(here, phone, one, {
    phone: `9${used}01`,
    laptop: `9${used}02`,
  });
  const weight = await twoWeights(here, phone, other, {
    phone: 2621,
    laptop: 2512,
  });
  const last = await twoTags(here, phone, third, {
    phone: `9${used}03`,
    laptop: `9${used}04`,
  });
  return { tag, weight, last, animals: [one, other, third] };
}

flow("by keyboard only: choose, type another, skip, save, undo", async () => {
  const { tag, weight, last, animals } = await threeClashes();
  const page = await here.deskPage(`#/needs-checking/${tag.id}`);
  const heard = complaints(page);
  await page
    .getByRole("button", { name: /Use phone.s/ })
    .first()
    .waitFor();
  const press = (/** @type {string} */ key) => page.keyboard.press(key);
  // The list names the values too: a key is for what stands beside it.
  const shows = (/** @type {string} */ text) =>
    page.getByRole("region", { name: "Decide" }).getByText(text).first().waitFor();

  await press("1");
  await page.getByText("Phone’s kept").first().waitFor();
  await press("Enter");
  assert.equal((await becomes(here, tag, "resolved")).decisions.at(-1).resolution, "client_wins");
  await page.getByRole("button", { name: /^Undo/ }).first().waitFor();
  await press("u");
  await becomes(here, tag, "open");

  await page.evaluate((id) => (location.hash = `#/needs-checking/${id}`), weight.id);
  await shows("262.1 lb");
  await press("3");
  await page.keyboard.type("25");
  await press("Backspace");
  await page.keyboard.type("57.5");
  await press("Enter");
  assert.equal((await becomes(here, weight, "resolved")).decisions.at(-1).resolution, "manual");
  assert.equal((await here.now(animals[1])).official_weight_x10, 2575);

  await page.evaluate((id) => (location.hash = `#/needs-checking/${id}`), last.id);
  await shows(last.client_data.tag);
  await press("2");
  await page.getByText("Laptop’s kept").first().waitFor();
  await press("Enter");
  assert.equal((await becomes(here, last, "resolved")).decisions.at(-1).resolution, "server_wins");
  assert.equal((await here.now(animals[2])).tag, last.server_data.tag);

  await press("Shift+?");
  const keys = page.getByRole("dialog", { name: "Keys" });
  await keys.waitFor();
  await press("Escape");
  await keys.waitFor({ state: "hidden" });
  await shows(tag.client_data.tag);
  await press("1");
  await page.getByText("Phone’s kept").first().waitFor();
  await press("Enter");
  await becomes(here, tag, "resolved");
  await page.getByText(/^Nothing to check\./).waitFor();
  assert.deepEqual(heard, []);
  await page.context().close();
});

flow("by keyboard only: next, previous and skip move through the list, and nothing is decided by it", async () => {
  const { tag, weight, last } = await threeClashes();
  const page = await here.deskPage("#/needs-checking");
  const position = page.getByText(/^\d+ of 3$/);
  await position.waitFor();
  assert.equal(await position.textContent(), "1 of 3");
  await page.keyboard.press("j");
  await page.getByText("2 of 3").waitFor();
  await page.keyboard.press("s");
  await page.getByText("3 of 3").waitFor();
  await page.keyboard.press("k");
  await page.getByText("2 of 3").waitFor();
  for (const one of [tag, weight, last]) assert.equal((await clash(here, one.id)).status, "open");
  await page.context().close();
});

flow("by mouse only: choose, type another, save, undo, look at what was decided", async () => {
  const { tag, weight, last, animals } = await threeClashes();
  const page = await here.deskPage("#/needs-checking");
  const heard = complaints(page);
  const save = page.getByRole("button", { name: /^Save and next/ });
  /** @param {any} one */
  const open = async (one) => {
    const words = one.contested.includes("tag") ? `#${one.base_data.tag}` : `#${one.server_data.tag}`;
    const shown = [`#${one.server_data.tag}`, words].join("|");
    await page
      .getByRole("link", { name: new RegExp(shown) })
      .or(page.getByRole("button", { name: new RegExp(shown) }))
      .first()
      .click();
  };

  await open(tag);
  await page.getByRole("button", { name: /^Use phone.s/ }).click();
  await save.click();
  await becomes(here, tag, "resolved");
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  await becomes(here, tag, "open");

  await open(weight);
  await page.getByRole("button", { name: /^Use laptop.s/ }).click();
  await page.getByRole("textbox", { name: "Reason" }).click();
  await save.click();
  await becomes(here, weight, "resolved");
  assert.equal((await here.now(animals[1])).official_weight_x10, 2512);

  await open(last);
  await page.getByRole("button", { name: /^Type another/ }).click();
  await page.getByRole("textbox", { name: "Tag" }).fill("97531");
  await save.click();
  await becomes(here, last, "resolved");
  assert.equal((await here.now(animals[2])).tag, "97531");

  await open(tag);
  await page.getByRole("button", { name: /^Use laptop.s/ }).click();
  await save.click();
  await becomes(here, tag, "resolved");
  await page.getByText(/^Nothing to check\./).waitFor();
  await page
    .getByRole("radio", { name: "Decided" })
    .or(page.getByRole("tab", { name: "Decided" }))
    .or(page.getByRole("button", { name: "Decided" }))
    .first()
    .click();
  await page.getByText(/97531/).first().waitFor();
  assert.deepEqual(heard, []);
  await page.context().close();
});

flow("the list is narrowed by what it is about, by a person and by words, and tells what was joined", async () => {
  const { tag, weight, last, animals } = await threeClashes();
  const lena = await here.desk.phone("Lena Fischer", ["superintendent"]);
  const seen = await rowOf(here, animals[0]);
  await here.desk.office.apply([update("animals", seen, { pen: "S20" })]);
  await lena.apply([update("animals", seen, { pen: "S30" })]);

  const page = await here.deskPage("#/needs-checking");
  const heard = complaints(page);
  await page.getByText("1 of 3", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^Filter/ }).click();
  await page.getByRole("combobox", { name: "What" }).selectOption({ label: "Weights" });
  const list = page.getByRole("region", { name: "To check" });
  const line = (/** @type {any} */ one) => list.getByRole("listitem").filter({ hasText: `#${one.server_data.tag}` });
  await line(weight).waitFor();
  assert.equal(await list.getByRole("listitem").count(), 1);
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await page.getByRole("combobox", { name: "Person" }).selectOption({ label: weight.author.name });
  await until("her three are listed", async () => (await list.getByRole("listitem").count()) === 3);
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await page.getByRole("button", { name: /^Filter/ }).click();

  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByRole("searchbox", { name: "Search what needs checking" }).fill(last.client_data.tag);
  await until("one is left", async () => (await list.getByRole("listitem").count()) === 1);
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Decide" }).getByText(last.client_data.tag).first().waitFor();
  await page.keyboard.press("Escape");
  await until("all are listed again", async () => (await list.getByRole("listitem").count()) === 3);

  await list.getByText("Joined", { exact: true }).click();
  await list
    .getByRole("listitem")
    .filter({ hasText: `#${tag.server_data.tag}` })
    .first()
    .click();
  await page.getByText("S30").first().waitFor();
  assert.deepEqual(heard, []);
  await page.context().close();
});
