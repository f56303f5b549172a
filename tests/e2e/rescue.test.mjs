// A phone that cannot get back hands its entries to the desk as a file: looked through, taken in as its person's, once.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { PHONE_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const { here, flow } = flows(PHONE_LOOKS, { demo: "small" });

flow("the file of a phone is taken in by the desk, as its person's, and the phone learns of it", async () => {
  const phone = await here.phone("Maria Ruiz", ["checkin"]);
  const [one, other] = await here.animals((animal) => animal.arrived_at === null, 2);
  await here.desk.kill();
  await phone.checkIn(one.tag);
  await phone.checkIn(other.tag);
  await phone.says("2 kept");
  await phone.show("waiting");
  const [file] = await Promise.all([
    phone.page.waitForEvent("download"),
    phone.page.getByRole("button", { name: "Save file" }).click(),
  ]);
  const path = await file.path();
  await phone.cut();
  await here.desk.start();

  const page = await here.deskPage("#/rescue");
  const heard = complaints(page);
  await page.setInputFiles("input[type=file]", path);
  await page
    .getByText(/2 entries of Maria Ruiz/)
    .first()
    .waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  for (const { tag } of [one, other]) await page.getByRole("row").filter({ hasText: tag }).first().waitFor();
  assert.equal((await here.now(one)).arrived_at, null, "looking through writes nothing");
  await page.getByRole("checkbox", { name: new RegExp(`^Take in .*${other.tag}`) }).uncheck();
  await page.getByRole("button", { name: "Take in 1 entry" }).click();
  await until("the entry that was taken in is there", async () => (await here.now(one)).arrived_at !== null);
  assert.equal((await here.now(other)).arrived_at, null);
  const { items } = await here.desk.running.get(`/admin/records/animals/${one.animal_id}/history`);
  assert.match(JSON.stringify(items[0]), /Maria Ruiz/, "it is hers, not the desk's");

  await phone.uncut();
  await phone.says("All sent");
  await until("the other comes by itself", async () => (await here.now(other)).arrived_at !== null);
  const after = await here.desk.running.get(`/admin/records/animals/${one.animal_id}/history`);
  assert.equal(after.items.length, items.length, "nothing comes in twice");
  assert.deepEqual([...heard, ...phone.heard], []);
  await page.context().close();
  await phone.close();
});
