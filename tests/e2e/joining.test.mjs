// A volunteer scans the code: a name, a number, Allow, and the first animal is checked in.

import assert from "node:assert/strict";

import { PHONE_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

/** The steps of a person before the first entry: no more than fit into twenty seconds at two seconds a step. */
const STEPS_MAX = 10;

const { here, flow } = flows(PHONE_LOOKS, { demo: "small" });

flow("from the code to the first animal checked in are few steps", async () => {
  const page = await here.deskPage();
  await page.getByRole("banner").getByRole("button", { name: "Connect a phone" }).click();
  const dialog = page.getByRole("dialog", { name: "Connect a phone" });
  await dialog.getByRole("button", { name: "Make a code" }).click();
  const code = dialog.getByRole("img", { name: "QR code that opens" });
  const url = /http\S+/.exec((await code.getAttribute("aria-label")) ?? (await code.textContent()) ?? "")?.[0];
  assert.ok(url, "the code says which address it opens");
  await page.keyboard.press("Escape");
  const [animal] = await here.animals((item) => item.arrived_at === null, 1);

  // The scan is the first step, the tap on what the camera shows the second.
  let steps = 2;
  const phone = await here.scan(url);
  const digits = await phone.ask("Nora Diaz");
  await page.getByTitle(`Allow Nora Diaz, number ${digits}`).click();
  // The name, and Allow at the desk.
  steps += 2;
  await phone.joined();
  await phone.page.getByRole("button", { name: /Check in next animal/ }).click();
  await phone.tapDigits(animal.tag);
  // A number is one step, however many digits it has.
  steps += 1;
  await phone.take(animal.tag);
  await phone.checkInHere(animal.tag);
  const isDigit = (/** @type {string} */ tap) => /^\d$/.test(tap);
  steps += (await phone.taps()).filter((tap) => !isDigit(tap)).length;
  assert.ok(steps <= STEPS_MAX, `${steps} steps: ${(await phone.taps()).join(", ")}`);
  await until("the desk has the arrival", async () => (await here.now(animal)).arrived_at);
  assert.deepEqual([...phone.heard, ...(await phone.dialogs())], []);
  await phone.close();
  await page.context().close();
});

flow("a phone that the desk turns away says so, and can ask again", async () => {
  const { url } = await here.desk.openJoining(["checkin"]);
  const page = await here.deskPage();
  const phone = await here.scan(url);
  await phone.ask("Otto Stone");
  await page.getByRole("button", { name: "Refuse Otto Stone" }).first().click();
  await phone.page.getByText("The desk said no").waitFor();
  assert.ok(await phone.page.getByLabel("Your name").isVisible());
  assert.equal(await phone.page.getByLabel("Your name").inputValue(), "Otto Stone", "the name is not typed twice");
  await phone.close();
  await page.context().close();
});

flow("a code that was used says what to do", async () => {
  const { url } = await here.desk.running.post("/admin/pairings", {
    functions: ["scale"],
    mode: "single",
  });
  const first = await here.scan(url);
  await first.ask("Ada One");
  const second = await here.scan(url);
  await second.page.getByLabel("Your name").fill("Ben Two");
  await second.page.getByRole("button", { name: "Join the show" }).click();
  await second.page.getByText("This code no longer works").waitFor();
  await first.close();
  await second.close();
});

flow("a desk that is lost before and after the question is waited for, and the phone joins by itself", async () => {
  const { url } = await here.desk.openJoining(["scale"]);
  const phone = await here.scan(url);
  await here.desk.kill();
  await phone.page.getByLabel("Your name").fill("Ivy Marsh");
  await phone.page.getByRole("button", { name: "Join the show" }).click();
  await phone.page.getByText("Can't reach the laptop").waitFor();
  assert.equal(await phone.page.getByLabel("Your name").inputValue(), "Ivy Marsh");

  await here.desk.start();
  await phone.page.getByRole("button", { name: "Join the show" }).click();
  const number = await phone.number();
  await phone.page.reload();
  assert.equal(await phone.number(), number, "a page that is loaded again has not asked anew");
  await here.desk.kill();
  await phone.page.getByText("Can't reach the laptop").waitFor();
  await here.desk.start();
  await here.desk.allow("Ivy Marsh");
  await phone.joined();
  assert.deepEqual([...phone.heard, ...(await phone.dialogs())], []);
  await phone.close();
});
