// Entries that have not reached the laptop: Wi-Fi that drops, a second tab, a reload, a full phone.

import assert from "node:assert/strict";

import { fillStorage, freeStorage } from "./harness/full-storage.mjs";
import { BARN_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const { here, flow } = flows(BARN_LOOKS, { demo: "small" });

const hasArrived = async (/** @type {{ animal_id: string }} */ animal) => (await here.now(animal)).arrived_at !== null;

const notHere = (/** @type {any} */ item) => item.arrived_at === null;

flow("Wi-Fi is cut and comes back, and no dialog says so", async () => {
  const phone = await here.phone("Sam Lee", ["checkin"]);
  const [one, other] = await here.animals(notHere, 2);
  await phone.cut();
  await phone.checkIn(one.tag);
  await phone.checkIn(other.tag);
  await phone.says("2 kept");
  await phone.show("work");
  await phone.page
    .getByText(/Away from laptop/)
    .first()
    .waitFor();
  assert.equal(await phone.page.getByRole("alertdialog").count(), 0);
  await phone.uncut();
  await phone.says("All sent");
  for (const animal of [one, other]) await until(`${animal.tag} is here`, () => hasArrived(animal));
  assert.deepEqual(await phone.dialogs(), []);
  await phone.close();
});

flow("two tabs of one phone send each entry once and both show it", async () => {
  const phone = await here.phone("Ida Vale", ["checkin"]);
  const [one, other] = await here.animals(notHere, 2);
  await phone.cut();
  const tab = phone;
  await tab.checkIn(one.tag);
  await phone.uncut();
  const second = await phone.secondTab();
  await second.says("All sent");
  await phone.cut();
  await second.checkIn(other.tag);
  await second.says("1 kept");
  await phone.says("1 kept");
  await phone.uncut();
  await Promise.all([phone.says("All sent"), second.says("All sent")]);
  for (const animal of [one, other]) {
    await until(`${animal.tag} is here`, () => hasArrived(animal));
    const { items } = await here.desk.running.get(`/admin/records/animals/${animal.animal_id}/history`);
    const arrivals = items.filter((/** @type {any} */ version) => version.snapshot.arrived_at !== null);
    assert.equal(arrivals.length, 1, "one entry is one version");
  }
  await phone.close();
});

flow("a reload with unsent work keeps it, and sends it", async () => {
  const phone = await here.phone("Rosa Delgado", ["checkin"]);
  const [animal] = await here.animals(notHere, 1);
  await phone.cut();
  await phone.checkIn(animal.tag);
  await phone.says("1 kept");
  // The page can be loaded again, as from the phone's cache; what it asks the desk is still lost.
  await phone.page.route("**/api/**", (route) => route.abort());
  await phone.uncut();
  await phone.page.reload();
  await phone.says("1 kept");
  await phone.show("waiting");
  await phone.page.getByText(new RegExp(animal.tag)).first().waitFor();
  assert.equal(await hasArrived(animal), false);
  await phone.page.unroute("**/api/**");
  await phone.says("All sent");
  await until(`${animal.tag} is here`, () => hasArrived(animal));
  await phone.close();
});

flow("a weight that is half typed is still there after a reload", async () => {
  const phone = await here.phone("Wes Tanaka", ["scale"]);
  const [hog] = await here.animals((item) => item.species === "swine" && item.official_weight_x10 === null, 1);
  await phone.show("weigh-in");
  await phone.find(hog.tag);
  await phone.tapDigits(23);
  await phone.page.reload();
  await phone.animal(hog.tag).waitFor();
  await phone.tapDigits(7);
  await phone.page.getByRole("button", { name: "Save & next" }).click();
  await phone.seen("237 lb saved").waitFor();
  await phone.close();
});

flow("a full phone says that the entry is not saved, and nothing is claimed to be", async () => {
  const phone = await here.phone("Kim Brandt", ["checkin"]);
  const [animal] = await here.animals(notHere, 1);
  await phone.show("check-in");
  await phone.find(animal.tag);
  await fillStorage(phone.page);
  await phone.page.getByRole("button", { name: `Check in ${animal.tag}` }).click();
  await phone.page.getByText("Not saved: phone storage is full").waitFor();
  await phone.page.getByText(new RegExp(`${animal.tag} is only on this screen`)).waitFor();
  await phone.says("All sent");
  assert.equal(await hasArrived(animal), false);

  await freeStorage(phone.page);
  await phone.checkInHere(animal.tag);
  await until(`${animal.tag} is here`, () => hasArrived(animal));
  await phone.close();
});
