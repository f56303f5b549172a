// The desk's Messages page: a message is written by keys, undone, scheduled, followed and taken back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { complaints } from "./harness/browser.mjs";
import { LIGHTNING, send, to } from "./harness/messages.mjs";
import { stand } from "./harness/stand.mjs";

const here = stand({ demo: "small" });

/**
 * Phones without a screen, and what they say about their messages.
 * @param {string[]} names
 * @param {string} job
 */
async function scripted(names, job) {
  const phones = await Promise.all(names.map((name) => here.desk.phone(name, [job])));
  return {
    phones,
    /** @param {string} id @param {"delivered" | "seen" | "confirmed"} state @param {number} count */
    async say(id, state, count) {
      for (const phone of phones.slice(0, count)) await phone.api.post("/me/notifications/ack", { ids: [id], state });
    },
  };
}

/** @type {(page: import("playwright-core").Page) => import("playwright-core").Locator} */
const whom = (page) => page.getByRole("combobox", { name: "To" });

/**
 * Adds whom a message is for, by keys alone.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function addChip(page, name) {
  await whom(page).focus();
  await page.keyboard.type(name);
  await page.getByRole("option", { name }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: `Take ${name} away` }).waitFor();
}

test("a message is written and sent by keys alone, and its counts follow on the page", async () => {
  const { say } = await scripted(["Ann Gate", "Bo Gate", "Cal Gate"], "announcer");
  const page = await here.deskPage("#/messages");
  const heard = complaints(page);
  await addChip(page, "Announcers");
  await page.getByText("Reaches 3 phones").waitFor();
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Important, must confirm" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Message" }).focus();
  await page.keyboard.type("Speakers to Ring 2. Both of you.");
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.getByRole("button", { name: "Send now" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("Sent to 3 phones.").waitFor();
  const row = page.getByRole("row").filter({ hasText: "Speakers to Ring 2." });
  await row.getByRole("img", { name: "3 waiting" }).waitFor({ timeout: 20_000 });
  const { items } = await here.desk.running.get("/admin/notifications?state=sent");
  const [{ id, needs_ack, body }] = items;
  assert.deepEqual({ needs_ack, body }, { needs_ack: true, body: "Both of you." });
  await say(id, "delivered", 3);
  await say(id, "confirmed", 1);
  await row.getByRole("img", { name: "2 on phone, 1 confirmed" }).waitFor();
  await row.getByRole("button", { name: /^Remind unread/ }).click();
  await page.getByText("2 people reminded.").waitFor();
  await say(id, "confirmed", 3);
  await row.getByText("All confirmed").waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  assert.deepEqual(heard, []);
  await page.context().close();
});

test("what is taken back in its time reaches nobody, and the text is there again", async () => {
  const { phones } = await scripted(["Dee Scale"], "superintendent");
  const page = await here.deskPage("#/messages");
  await addChip(page, "Superintendents");
  await page.getByRole("textbox", { name: "Message" }).fill("Come to the office.");
  await page.getByText("Reaches 1 phone").waitFor();
  await page.getByRole("button", { name: "Send now" }).click();
  await page.getByRole("button", { name: /^Undo/ }).click();
  await page.getByText("Taken back. Nobody got it. The text is here again.").waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "Come to the office.");
  const mine = await phones[0]?.api.get("/me/notifications?after=0");
  assert.deepEqual(mine.items, []);
  // It is kept by this browser.
  await page.reload();
  await page.getByRole("button", { name: "Take Superintendents away" }).waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Message" }).inputValue(), "Come to the office.");
  await page.context().close();
});

test("an emergency to everybody goes out after one more step, and not before", async () => {
  const page = await here.deskPage("#/messages");
  const count = async () => (await here.desk.running.get("/admin/notifications?state=scheduled")).items.length;
  const before = await count();
  await addChip(page, "Everybody");
  await page.getByRole("button", { name: "Emergency" }).click();
  await page.getByRole("textbox", { name: "Message" }).fill(LIGHTNING.title);
  await page.getByText(/^Reaches \d+ phones?$/).waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.getByRole("button", { name: "Send now" }).click();
  const dialog = page.getByRole("dialog", {
    name: "Send an emergency to everybody?",
  });
  await dialog.getByText(LIGHTNING.title).waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await count(), before);
  await page.getByRole("button", { name: "Send now" }).click();
  await dialog.getByRole("button", { name: "Send the emergency" }).click();
  await page.getByRole("button", { name: /^Undo/ }).click();
  await page.getByText(/^Taken back. Nobody got it/).waitFor();
  await page.context().close();
});

test("one that waits is changed, sent now, or cancelled; a message in full names each phone", async () => {
  const { say } = await scripted(["Eve Vet"], "vet");
  const send_at = new Date(Date.now() + 3_600_000).toISOString();
  await send(here.desk, { ...to("vet"), title: "Lunch at noon", send_at });
  await send(here.desk, { ...to("vet"), title: "Vet check at two", send_at });
  const page = await here.deskPage("#/messages/scheduled");
  const heard = complaints(page);
  await page.getByRole("link", { name: /^Scheduled \d/ }).waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.getByRole("button", { name: "Cancel “Lunch at noon”" }).click();
  await page.getByText("“Lunch at noon” will not go out.").waitFor();
  await page.getByRole("button", { name: "Edit “Vet check at two”" }).click();
  await page.getByText("You are changing “Vet check at two”").waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("Vet check at three");
  await page.getByRole("button", { name: "Save changes" }).click();
  await page.getByText("Saved. It goes out as it is now.").waitFor();
  await page.getByRole("link", { name: /^Scheduled/ }).click();
  await page.getByRole("button", { name: "Send now: Vet check at three" }).click();
  await page.getByText("“Vet check at three” is on its way.").waitFor();
  await page.getByRole("link", { name: "Sent" }).click();
  const row = page.getByRole("row").filter({ hasText: "Vet check at three" });
  await row.click();
  const drawer = page.getByRole("region", { name: "Message" });
  await drawer.getByText("Eve Vet").first().waitFor();
  await drawer.getByText("The phone is away. It gets it on coming back.").waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  const { items } = await here.desk.running.get("/admin/notifications?state=sent&limit=1");
  await say(items[0].id, "seen", 1);
  await drawer.getByText("Seen", { exact: true }).waitFor();
  await drawer.getByRole("button", { name: "Take it back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take it back" }).click();
  await drawer.getByText(/^Taken back/).waitFor();
  await row.getByText("Taken back").waitFor();
  assert.deepEqual(heard, []);
  await page.context().close();
});

test("a template fills the message in from its class; a new one is kept", async () => {
  const page = await here.deskPage("#/messages/templates");
  await page.getByRole("button", { name: "New template" }).click();
  const dialog = page.getByRole("dialog", { name: "New template" });
  await dialog.getByLabel("Name", { exact: true }).fill("Ring is ready");
  await dialog.getByRole("textbox", { name: "Message" }).fill("{class}: {ring} is ready.");
  assert.equal((await here.inspect(page)).join("\n"), "");
  await dialog.getByRole("button", { name: "Save template" }).click();
  await page.getByText("“Ring is ready” is saved.").waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.getByRole("button", { name: "Use “Ring is ready”" }).click();
  await whom(page).fill("Class 1");
  await page
    .getByRole("option", { name: /^Class 1/ })
    .first()
    .waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await page.getByText(/^Class \d+: Ring \d is ready\.$/).waitFor();
  await page.context().close();
});

test("what it sends by itself is chosen, and a key that is none is refused in words", async () => {
  const page = await here.deskPage("#/messages/automatic");
  await page.getByRole("switch", { name: "A class is up soon" }).click();
  await page.getByText("A class is up soon: not sent.").waitFor();
  await page.getByRole("switch", { name: "Keep quiet hours" }).click();
  await page.getByText("Quiet from 21:00 to 06:30.").waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  const kept = await here.desk.running.get("/admin/notifications/automatic");
  assert.deepEqual(kept.quiet, { from: "21:00", to: "06:30" });
  await page.goto(page.url().replace(/#.*/, "#/settings/push"));
  await page.getByRole("button", { name: "Firebase: Set up…" }).click();
  const dialog = page.getByRole("dialog", { name: "Set up Firebase" });
  await dialog.getByRole("textbox", { name: /Key file/ }).fill("{}");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Browsers: Set up…" }).click();
  await page.getByLabel("Contact").fill("office@fair.example");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The show’s public key").waitFor();
  assert.equal((await here.inspect(page)).join("\n"), "");
  await page.context().close();
});
