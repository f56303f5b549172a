// More: how the page looks on this phone, whether it can be heard, and the way out of the show.

import assert from "node:assert/strict";

import { PHONE_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const { here, flow } = flows(PHONE_LOOKS, { demo: "small" });

/**
 * What the page has made of the settings.
 * @param {import("./harness/phone-page.mjs").PhonePage} phone
 */
const looksOf = ({ page }) =>
  page.evaluate(() => {
    const { theme, sun = "off", text = "normal" } = document.documentElement.dataset;
    const { backgroundColor, fontSize } = getComputedStyle(document.documentElement);
    return { theme, sun, text, ground: backgroundColor, letters: Number.parseFloat(fontSize) };
  });

flow("sun mode and larger text stand at once, stay after a reload, and go again", async () => {
  const phone = await here.phone("Ada Stone", ["checkin"]);
  const { page } = phone;
  const before = await looksOf(phone);
  assert.deepEqual([before.theme, before.sun, before.text], [here.look.theme, "off", "normal"]);
  await phone.show("more");
  const sun = page.getByRole("switch", { name: /^Sun mode/ });
  await sun.click();
  await page.getByRole("button", { name: "Largest" }).click();
  const turned = await looksOf(phone);
  assert.deepEqual([turned.theme, turned.sun, turned.text], ["light", "on", "largest"]);
  assert.equal(turned.ground, "rgb(255, 255, 255)", "sun mode is black on white, on a dark phone too");
  assert.ok(turned.letters > before.letters, `${turned.letters} px are larger than ${before.letters}`);

  await page.reload();
  await phone.says("All sent");
  assert.deepEqual(await looksOf(phone), turned);
  await phone.show("more");
  await sun.click();
  await page.getByRole("button", { name: "Normal" }).click();
  assert.deepEqual(await looksOf(phone), before);

  const other = here.look.theme === "dark" ? "Light" : "Dark";
  await page.getByRole("button", { name: other, exact: true }).click();
  assert.equal((await looksOf(phone)).theme, other.toLowerCase(), "the person's choice goes before the phone's");
  assert.deepEqual(phone.heard, []);
  await phone.close();
});

flow("the sound is tried, and what the person heard is remembered", async () => {
  const phone = await here.phone("Otto Stone", ["checkin"]);
  await phone.show("more");
  await phone.page.getByRole("button", { name: /^Test the sound/ }).click();
  await phone.page.getByText("Did you hear two tones?").waitFor();
  await phone.page.getByRole("button", { name: "No", exact: true }).click();
  await phone.page.getByText("Turn the volume up and silent mode off. Then test again.").waitFor();
  await phone.page.getByRole("button", { name: /^Test the sound/ }).click();
  await phone.page.getByRole("button", { name: "Yes", exact: true }).click();
  await phone.page.getByText("Good. An emergency can be heard here.").waitFor();
  await phone.page.reload();
  await phone.page.getByText("You heard it on this phone").waitFor();
  assert.deepEqual(phone.heard, []);
  await phone.close();
});

flow("leaving waits until all is sent; then the phone forgets the show, and can join again", async () => {
  const phone = await here.phone("Ivy Marsh", ["checkin"]);
  const { page } = phone;
  const [animal] = await here.animals((item) => item.arrived_at === null, 1);
  const leave = () => page.getByRole("main").getByRole("button", { name: /^Leave the show/ });
  await here.desk.kill();
  await phone.checkIn(animal.tag);
  await phone.says("1 kept");
  await phone.show("more");
  await leave().click();
  await page.getByRole("heading", { name: "Finish sending first, 1 waiting" }).waitFor();
  await page.getByRole("button", { name: "Open the waiting list" }).click();
  await page.getByText(new RegExp(animal.tag)).first().waitFor();

  await here.desk.start();
  await phone.says("All sent");
  await until(`${animal.tag} is here`, async () => (await here.now(animal)).arrived_at !== null);
  await phone.show("more");
  await leave().click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave the show" }).click();
  await page.getByText("Scan the code at the desk").waitFor();
  await page.reload();
  await page.getByText("Scan the code at the desk").waitFor();

  const { url } = await here.desk.openJoining(["checkin"]);
  await page.goto(url);
  assert.equal(await page.getByLabel("Your name").inputValue(), "", "nothing of the person is left");
  await phone.ask("Ida Vale");
  await here.desk.allow("Ida Vale");
  await phone.joined();
  assert.deepEqual(phone.heard, []);
  await phone.close();
});
