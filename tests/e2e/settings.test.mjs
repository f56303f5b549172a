// The first start, and Settings: who you are, what the show is, its rules, and its stage with what each allows.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const { here, flow } = flows(DESK_LOOKS, {});

const show = async () => (await here.desk.running.get("/admin/overview")).show;

flow("the first start asks for a name and the show in three steps, and can begin with a made-up fair", async () => {
  const page = await here.deskPage();
  const heard = complaints(page);
  await page.getByRole("heading", { name: "Welcome to Showdesk" }).waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("Type your name.").waitFor();
  await page.getByLabel("Your name").fill("Dan Keller");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Name of the show").fill("Willow Bend Fair");
  await page.getByLabel("Place").fill("Willow Bend");
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.getByRole("button", { name: "Next" }).click();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.getByRole("button", { name: /^Try it with a made-up county fair/ }).click();
  await page
    .getByText(/640 entries/)
    .or(page.getByRole("link", { name: /Checked in/ }))
    .first()
    .waitFor();
  const overview = await here.desk.running.get("/admin/overview");
  assert.equal(overview.animals, 520);
  assert.equal(overview.person.name, "Dan Keller");
  assert.deepEqual(heard, []);
  await page.context().close();
});

flow("the stage is changed after a look at what closes and opens; going back needs a reason", async () => {
  const page = await here.deskPage("#/settings");
  const heard = complaints(page);
  await page.getByRole("button", { name: "Go on to C" }).click();
  const on = page.getByRole("dialog", {
    name: "Go on to C, Classes published?",
  });
  await on.getByText("takes first weights").waitFor();
  await on.getByRole("button", { name: "Go on to C" }).click();
  await until("the show is in stage C", async () => (await show()).stage === "C");

  await page.getByRole("button", { name: "Go back to B" }).click();
  const back = page.getByRole("dialog", {
    name: "Go back to B, Check-in and weigh-in?",
  });
  await back.getByRole("button", { name: "Go back to B" }).click();
  await back.getByText("Type a reason.").waitFor();
  assert.equal((await show()).stage, "C");
  await back.getByLabel("Why does the show go back?").fill("Two trailers are late");
  await back.getByRole("button", { name: "Go back to B" }).click();
  await until("the show is in stage B again", async () => (await show()).stage === "B");
  assert.deepEqual(heard, []);
  await page.context().close();
});

flow("a rule is kept as it is typed, a fault says why, and undo puts it back", async () => {
  const page = await here.deskPage("#/settings");
  const within = page.getByLabel("Two weights agree within");
  await within.fill("much");
  await within.press("Tab");
  await page
    .getByText(/^Type a weight such as/)
    .first()
    .waitFor();
  await within.fill("5");
  await within.press("Tab");
  await until("the rule is kept", async () => (await show()).rules.weigh_tolerance_x10 === 50);
  await page.context().close();
});
