// Animals arrive: found by any number, checked in, taken back, and the desk may be lost at any step.

import assert from "node:assert/strict";

import { BARN_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const { here, flow } = flows(BARN_LOOKS, { demo: "small" });

flow("an animal is checked in, the next is asked for at once, and undo takes it back", async () => {
  const phone = await here.phone("Ana Torres", ["checkin"]);
  const [first, second] = await here.animals((item) => item.arrived_at === null, 2);
  await phone.checkIn(first.tag);
  assert.ok(await phone.pad.isVisible(), "the next number can be tapped");
  await until("the desk has the first", async () => (await here.now(first)).arrived_at);
  await phone.checkIn(second.tag);
  await phone.page.getByRole("button", { name: "Undo" }).click();
  await phone.page.getByText(`${second.tag} check-in undone`).first().waitFor();
  await phone.says("All sent");
  await until("the desk has the second as not here", async () => (await here.now(second)).arrived_at === null);

  await phone.show("check-in");
  await phone.find(first.tag);
  await phone.page.getByText(/^Already checked in/).waitFor();
  assert.deepEqual([...phone.heard, ...(await phone.dialogs())], []);
  await phone.close();
});

flow(
  "a tag that is corrected while the desk is lost is kept and sent, and the animal still found by its old one",
  async () => {
    const super1 = await here.phone("Joel Whitfield", ["superintendent"]);
    const [animal] = await here.animals((item) => item.arrived_at === null, 1);
    await super1.show("check-in");
    await super1.find(animal.tag);
    await super1.page.getByRole("button", { name: "Fix tag" }).click();
    await super1.page.getByLabel("New tag").fill("7731");
    await here.desk.kill();
    await super1.page.getByRole("button", { name: "Save tag" }).click();
    await super1.seen(`Tag ${animal.tag} is now 7731`).waitFor();
    await super1.says("1 kept");
    await here.desk.start();
    await super1.says("All sent");
    await until("the desk has the new tag", async () => (await here.now(animal)).tag === "7731");
    await super1.close();

    const phone = await here.phone("Sam Lee", ["checkin"]);
    await phone.show("check-in");
    await phone.find(animal.tag, "7731");
    await phone.page.getByText(new RegExp(animal.tag)).first().waitFor();
    await phone.checkInHere("7731");
    await until("the desk has it", async () => (await here.now(animal)).arrived_at);
    await phone.close();
  },
);

flow("a number that nobody has says what else to try", async () => {
  const phone = await here.phone("Lena Fischer", ["checkin"]);
  await phone.show("check-in");
  await phone.page.getByLabel("Find by any number").fill("99999");
  await phone.page.getByText("No animal with that number").last().waitFor();
  await phone.close();
});

flow("the desk may be lost at every step of a check-in, and the entry is kept and sent", async () => {
  const phone = await here.phone("Mia Cole", ["checkin"]);
  const [before, between, after] = await here.animals((item) => item.arrived_at === null, 3);

  await here.desk.kill();
  await phone.checkIn(before.tag);
  await phone.says("1 kept");
  await here.desk.start();
  await phone.says("All sent");

  await phone.show("check-in");
  await phone.find(between.tag);
  await here.desk.kill();
  await phone.checkInHere(between.tag);
  await phone.says("1 kept");
  await here.desk.start();
  await phone.says("All sent");

  await phone.checkIn(after.tag);
  await here.desk.kill();
  await phone.page.getByRole("button", { name: "Undo" }).click();
  await phone.page.getByText(`${after.tag} check-in undone`).first().waitFor();
  await here.desk.start();
  await phone.says("All sent");

  for (const animal of [before, between]) assert.ok((await here.now(animal)).arrived_at, `${animal.tag} is here`);
  assert.equal((await here.now(after)).arrived_at, null);
  assert.deepEqual([...phone.heard, ...(await phone.dialogs())], []);
  await phone.close();
});
