// The scale: few taps an animal, odd weights are asked about, and the desk may be lost at any step.

import assert from "node:assert/strict";

import { BARN_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const { here, flow } = flows(BARN_LOOKS, { demo: "county" });

const HOGS = 20;
const TAPS_A_HOG_MAX = 3;

const isUnweighedHog = (/** @type {any} */ animal) => animal.species === "swine" && animal.official_weight_x10 === null;

/**
 * @param {{ animal_id: string, tag: string }} animal
 * @param {number} weightX10
 */
const weighs = (animal, weightX10) =>
  until(`${animal.tag} weighs ${weightX10}`, async () => (await here.now(animal)).official_weight_x10 === weightX10);

flow("twenty animals are weighed with at most three taps each besides the digits", async () => {
  const phone = await here.phone("Maria Ruiz", ["scale"]);
  const hogs = await here.animals(isUnweighedHog, HOGS);
  await phone.page.getByRole("button", { name: "Weigh next animal" }).click();
  for (const [place, hog] of hogs.entries()) {
    const before = (await phone.taps()).length;
    await phone.tapDigits(hog.tag);
    await phone.take(hog.tag);
    await phone.tapDigits(240 + place);
    await phone.page.getByRole("button", { name: "Save & next" }).click();
    const saved = phone.seen(`${240 + place} lb saved`);
    const yes = phone.page.getByRole("button", { name: /^Yes, save/ });
    await saved.or(yes).first().waitFor();
    if (await yes.isVisible()) await yes.click();
    await saved.waitFor();
    const taps = (await phone.taps()).slice(before).filter((tap) => !/^\d$/.test(tap));
    assert.ok(taps.length <= TAPS_A_HOG_MAX, `${hog.tag} took ${taps.length} taps: ${taps.join(", ")}`);
  }
  await phone.says("All sent");
  for (const [place, hog] of hogs.entries()) await weighs(hog, (240 + place) * 10);
  assert.deepEqual(phone.heard, []);
  await phone.close();
});

flow("an odd weight asks, and the answer under the thumb is to type it again", async () => {
  const phone = await here.phone("Noel Park", ["scale"]);
  const [hog] = await here.animals(isUnweighedHog, 1);
  await phone.show("weigh-in");
  await phone.find(hog.tag);
  await phone.tapDigits(951);
  const save = phone.page.getByRole("button", { name: "Save & next" });
  const under = await save.boundingBox();
  await save.click();
  await phone.page.getByText("Is this weight right?").waitFor();
  await phone.page.getByText("Not saved yet").waitFor();
  const again = phone.page.getByRole("button", { name: "Type it again" });
  const box = await again.boundingBox();
  assert.ok(under && box);
  const thumb = {
    x: under.x + under.width / 2,
    y: under.y + under.height / 2,
  };
  assert.ok(
    box.x <= thumb.x && thumb.x <= box.x + box.width && box.y <= thumb.y && thumb.y <= box.y + box.height,
    "a second tap at the same place saves nothing",
  );
  await again.click();
  await phone.tapDigits(251);
  await save.click();
  await phone.seen("251 lb saved").waitFor();
  await weighs(hog, 2510);

  await phone.show("weigh-in");
  await phone.find(hog.tag);
  await phone.page.getByText(/^Weighed before/).waitFor();
  await phone.tapDigits(253);
  await save.click();
  await phone.seen("253 lb saved").waitFor();
  await weighs(hog, 2530);
  await phone.page.getByRole("button", { name: "Undo" }).click();
  await phone.page.getByText("253 lb taken back").first().waitFor();
  await weighs(hog, 2510);
  assert.deepEqual(phone.heard, []);
  await phone.close();
});

flow("the desk may be lost at every step of a weigh-in, and the weight is kept and sent", async () => {
  const phone = await here.phone("Tom Becker", ["scale"]);
  const [found, typed, odd] = await here.animals(isUnweighedHog, 3);
  const save = phone.page.getByRole("button", { name: "Save & next" });

  await phone.show("weigh-in");
  await phone.find(found.tag);
  await here.desk.kill();
  await phone.tapDigits(244);
  await save.click();
  await phone.seen("244 lb saved").waitFor();
  await phone.says("1 kept");
  await here.desk.start();
  await phone.says("All sent");

  await phone.show("weigh-in");
  await phone.find(typed.tag);
  await phone.tapDigits(24);
  await here.desk.kill();
  await phone.tapDigits(5);
  await save.click();
  await phone.seen("245 lb saved").waitFor();
  await here.desk.start();
  await phone.says("All sent");

  await phone.show("weigh-in");
  await phone.find(odd.tag);
  await phone.tapDigits(852);
  await save.click();
  await phone.page.getByText("Is this weight right?").waitFor();
  await here.desk.kill();
  await phone.page.getByRole("button", { name: /^Yes, save 852/ }).click();
  await phone.seen("852 lb saved").waitFor();
  await phone.says("1 kept");
  await here.desk.start();
  await phone.says("All sent");

  for (const [animal, weight] of /** @type {const} */ ([
    [found, 2440],
    [typed, 2450],
    [odd, 8520],
  ])) {
    await weighs(animal, weight);
  }
  assert.deepEqual(phone.heard, []);
  await phone.close();
});
