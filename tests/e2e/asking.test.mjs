// Around a decision: asking the person, somebody else who was quicker, and the phone that sees what became of its entry.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { PHONE_LOOKS } from "./harness/looks.mjs";
import { update } from "./harness/ops.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";
import { becomes, clash, decide, decideTheRest, rowOf, twoTags } from "./scenes/clashes.mjs";

const { here, flow } = flows(
  PHONE_LOOKS,
  { demo: "small" },
  {
    ends: () => decideTheRest(here),
  },
);

/**
 * A phone in a browser whose correction of a tag meets another one from the laptop.
 * @param {string} name
 * @param {number} place which animal
 */
async function disputed(name, place) {
  const phone = await here.phone(name, ["superintendent"]);
  const animal = (await here.animals(() => true, place + 1))[place];
  const row = await rowOf(here, animal);
  await phone.cut();
  await phone.fixTag(animal.tag, `8${place}01`);
  await here.desk.office.apply([update("animals", row, { tag: `8${place}02` })]);
  await phone.uncut();
  await phone.says("1 needs checking");
  const { items } = await here.desk.running.get("/admin/conflicts?status=open");
  const one = items.find((/** @type {any} */ item) => item.record_id === animal.animal_id);
  return { phone, animal, one };
}

flow("the desk asks the person, who answers on the phone, and the desk reads it", async () => {
  const { phone, one } = await disputed("Maria Ruiz", 0);
  const page = await here.deskPage(`#/needs-checking/${one.id}`);
  const heard = complaints(page);
  await page
    .getByRole("button", { name: /Use phone.s/ })
    .first()
    .waitFor();
  await page.keyboard.press("a");
  await page.getByRole("textbox", { name: "Your question" }).fill("Which number is in the left ear?");
  await page.getByRole("button", { name: "Send the question" }).click();
  await until("the question is kept", async () => (await clash(here, one.id)).asked);

  await phone.show("checks");
  await phone.page.getByText("Which number is in the left ear?").first().waitFor();
  await phone.page.getByRole("textbox", { name: "Your answer" }).fill("8001, I looked twice");
  await phone.page.getByRole("button", { name: "Send to the desk" }).click();
  await page
    .getByText(/8001, I looked twice/)
    .first()
    .waitFor();
  assert.deepEqual([...heard, ...phone.heard], []);
  await decide(here, one, "client_wins");
  await page.context().close();
  await phone.close();
});

flow("an answer that cannot be sent stays in its field until the laptop is back", async () => {
  const { phone, one } = await disputed("Kay Moss", 6);
  await here.desk.running.post(`/admin/conflicts/${one.id}/ask`, { text: "Which ear?" });
  await phone.show("checks");
  const yours = phone.page.getByRole("textbox", { name: "Your answer" });
  await yours.fill("The left one");
  const sendIt = phone.page.getByRole("button", { name: "Send to the desk" });

  await here.desk.kill();
  await sendIt.click();
  await phone.page
    .getByText(/The laptop is away/)
    .first()
    .waitFor();
  assert.equal(await yours.inputValue(), "The left one");
  await here.desk.start();
  await phone.page.reload();
  assert.equal(await yours.inputValue(), "The left one", "nor is it lost with the page");
  assert.equal((await clash(here, one.id)).asked.answer, null);
  await sendIt.click();
  await until("the answer is there", async () => (await clash(here, one.id)).asked.answer !== null);
  await decide(here, one, "server_wins");
  await phone.close();
});

flow("the phone sees who decided what, says OK, or disagrees, and the desk has it again", async () => {
  const { phone, one } = await disputed("Sam Lee", 1);
  await decide(here, one, "server_wins");
  await phone.show("checks");
  await phone.page
    .getByText(/Decided by/)
    .first()
    .waitFor();
  await phone.page.getByText("8102").first().waitFor();
  await phone.page.getByRole("button", { name: "I disagree" }).click();
  await phone.page.getByLabel("What is wrong?").fill("The ear says 8101");

  await here.desk.kill();
  await phone.page.getByRole("button", { name: "Send to the desk" }).click();
  await phone.page
    .getByText(/The laptop is away/)
    .first()
    .waitFor();
  assert.equal(await phone.page.getByLabel("What is wrong?").inputValue(), "The ear says 8101", "what was typed stays");
  await here.desk.start();
  await phone.page.getByRole("button", { name: "Send to the desk" }).click();
  await becomes(here, one, "open");

  const page = await here.deskPage(`#/needs-checking/${one.id}`);
  await page
    .getByText(/The ear says 8101/)
    .first()
    .waitFor();
  await decide(here, one, "client_wins");
  await phone.page.getByRole("button", { name: "OK" }).click();
  await phone.says("All sent");
  await page.context().close();
  await phone.close();
});

flow("a person who made a mistake takes the entry back, and the desk need not decide", async () => {
  const { phone, one } = await disputed("Ana Torres", 2);
  await phone.show("checks");
  await phone.page.getByRole("button", { name: "Mine was a mistake" }).click();
  const takeBack = phone.page.getByRole("button", { name: "Take mine back" });

  await here.desk.kill();
  await takeBack.click();
  await phone.page
    .getByText(/The laptop is away/)
    .first()
    .waitFor();
  await here.desk.start();
  assert.equal((await clash(here, one.id)).status, "open", "nothing was taken back");
  await takeBack.click();
  await becomes(here, one, "withdrawn");
  await phone.says("All sent");
  await phone.close();
});

flow("somebody else was quicker: the page says who decided what, and nothing is decided twice", async () => {
  const phone = await here.desk.phone("Joel Whitfield", ["superintendent"]);
  const [, , , animal] = await here.animals(() => true, 4);
  const one = await twoTags(here, phone, animal, {
    phone: "8301",
    laptop: "8302",
  });
  const page = await here.deskPage(`#/needs-checking/${one.id}`);
  await page.getByRole("button", { name: /^Use phone.s/ }).click();
  // The page has not heard of it yet when the person saves.
  await page.route(`**/admin/conflicts/${one.id}/resolve`, async (route) => {
    await decide(here, one, "server_wins");
    await route.continue();
  });
  await page.getByRole("button", { name: /^Save and next/ }).click();
  await page
    .getByText(/just decided this/)
    .first()
    .waitFor();
  const decided = await clash(here, one.id);
  assert.deepEqual([decided.status, decided.decisions.length], ["resolved", 1]);
  assert.equal((await here.now(animal)).tag, "8302");
  await page.context().close();
});
