// One person with a phone, from the short code to the removal: what the desk says holds from the phone's next entry on,
// what is on a removed phone still comes in, and every step stands in the record.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { barriers, complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { PhonePage } from "./harness/phone-page.mjs";
import { stand } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const NAME = "Maria Ruiz";

const here = stand({ demo: "small" }, DESK_LOOKS[1]);

/** @type {import("playwright-core").Page} */
let page;
/** @type {PhonePage} */
let phone;
/** @type {string[]} */
let heard;

after(async () => {
  await phone?.close();
  await page?.context().close();
});

/** The phone as the desk lists it now. */
async function device() {
  const { items } = await here.desk.running.get("/admin/devices");
  const found = items.filter((/** @type {any} */ item) => item.user.name === NAME);
  assert.equal(found.length, 1, "it is one phone, joined once");
  return found[0];
}

const notHere = (/** @type {any} */ item) => item.arrived_at === null;

const hasArrived = async (/** @type {{ animal_id: string }} */ animal) => (await here.now(animal)).arrived_at !== null;

/** The phone's record beside the list. */
async function drawer() {
  await page.goto(`${here.desk.page.url}#/phones/${(await device()).id}`);
  return page.getByRole("region", { name: "Maria’s phone" });
}

test("a phone without a camera joins by the short code, and the desk gives it another job", async () => {
  page = await here.deskPage("#/phones");
  heard = complaints(page);
  await page.getByRole("banner").getByRole("button", { name: "Connect a phone" }).click();
  const dialog = page.getByRole("dialog", { name: "Connect a phone" });
  const job = (/** @type {string} */ name) => dialog.getByRole("button", { name, exact: true });
  await job("Scale").click();
  await job("Check-in").click();
  await dialog.getByRole("button", { name: "Make a code" }).click();
  const shown = dialog.getByRole("group", { name: "Short code" }).getByLabel(/^Short code/);
  const code = await shown.innerText();
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
  assert.deepEqual(await barriers(page), []);

  phone = await PhonePage.opening(here.browser, `http://${here.desk.http}/`, here.look.theme);
  await phone.typeCode(code);
  const digits = await phone.ask(NAME);
  await dialog
    .getByRole("button", { name: `Change what ${NAME} does, then allow` })
    .last()
    .click();
  const allow = page.getByRole("dialog", { name: `Let ${NAME} in?` });
  await allow.getByText(digits, { exact: true }).waitFor();
  await allow.getByRole("button", { name: "Check-in", exact: true }).click();
  await allow.getByRole("button", { name: "Scale", exact: true }).click();
  assert.deepEqual(await barriers(page), []);
  await allow.getByRole("button", { name: "Allow", exact: true }).click();
  await phone.joined();
  assert.deepEqual((await device()).functions, ["checkin"]);
  await phone.page.getByRole("button", { name: /Check in next animal/ }).waitFor();
  await page.keyboard.press("Escape");
});

test("a switch that the desk turns holds from the phone's next entry on, without joining again", async () => {
  const [animal] = await here.animals(notHere, 1);
  const before = await device();
  await phone.show("check-in");
  await phone.find(animal.tag);
  await phone.page.getByRole("button", { name: `Check in ${animal.tag}` }).waitFor();
  const fix = phone.page.getByRole("button", { name: "Fix tag" });
  assert.equal(await fix.count(), 0, "check-in does not change ear tags by itself");

  const may = (await drawer()).getByRole("switch", { name: "Change ear tags" });
  await may.click();
  await fix.waitFor();
  await phone.fixTag(animal.tag, "7799");
  await until("the desk has the new tag", async () => (await here.now(animal)).tag === "7799");
  assert.deepEqual((await device()).permissions, { granted: ["fix_tags"], withheld: [] });
  assert.equal((await device()).id, before.id);

  await phone.show("check-in");
  await phone.find("7799");
  await fix.waitFor();
  await may.click();
  await fix.waitFor({ state: "detached" });
  assert.deepEqual((await device()).permissions, { granted: [], withheld: [] });
  assert.deepEqual([...phone.heard, ...heard], []);
});

test("a phone is removed with unsent work: the desk said so before, and its file is taken in", async () => {
  const animals = await here.animals((item) => notHere(item) && item.tag !== "7799", 2);
  // The Wi-Fi is there, and still nothing gets through: so the desk knows what is on the phone.
  await phone.page.route("**/sync/push", (route) => route.abort());
  for (const { tag } of animals) await phone.checkIn(tag);
  // A page that is opened again says first what it holds.
  await phone.page.reload();

  const record = await drawer();
  await record.getByText("2 entries wait on this phone").waitFor();
  await record.getByRole("button", { name: "Remove phone…" }).click();
  const dialog = page.getByRole("dialog", { name: /^Remove Maria/ });
  await dialog.getByText("2 entries are still on this phone and not on the laptop.").waitFor();
  assert.deepEqual(await barriers(page), []);
  await dialog.getByRole("button", { name: "Remove with 2 entries on it" }).click();
  await record.getByText("This phone was removed with 2 entries on it.").waitFor();

  await phone.page.unroute("**/sync/push");
  await phone.says("2 to hand over");
  await phone.show("work");
  await phone.page.getByText("This phone was removed – 2 entries to hand over").waitFor();
  assert.deepEqual(await barriers(phone.page), []);
  for (const animal of animals) assert.equal(await hasArrived(animal), false, "a removed phone writes nothing");
  await phone.page.getByRole("button", { name: "Hand over 2 entries" }).click();
  await phone.page.getByRole("heading", { name: "Hand over your entries" }).waitFor();
  const [file] = await Promise.all([
    phone.page.waitForEvent("download"),
    phone.page.getByRole("button", { name: "Save file" }).click(),
  ]);

  await record.getByRole("button", { name: "Take in its file" }).click();
  await page.setInputFiles("input[type=file]", await file.path());
  await page.getByText(`2 entries of ${NAME}`).first().waitFor();
  await page.getByText("This phone was removed. Its entries still come in as its person’s.").waitFor();
  for (const { tag } of animals) await page.getByRole("row").filter({ hasText: tag }).first().waitFor();
  await page.getByRole("button", { name: "Take in 2 entries" }).click();
  for (const animal of animals) await until(`${animal.tag} is here`, () => hasArrived(animal));
});

test("the record tells every step, a search finds it, and it is saved as a spreadsheet", async () => {
  await page.goto(`${here.desk.page.url}#/audit`);
  const rows = page.getByRole("grid", { name: "What happened" }).getByRole("row");
  const steps = [
    /made a code for phones/,
    /let .*Maria.* in/,
    /changed .*Maria/,
    /removed .*Maria/,
    /took in the file of/,
  ];
  for (const step of steps) await rows.filter({ hasText: step }).first().waitFor();
  await rows
    .filter({ hasText: /May also .*Change ear tags/ })
    .first()
    .waitFor();
  assert.deepEqual(await barriers(page), []);

  await page.getByRole("searchbox", { name: "Find", exact: true }).fill("maria ruiz");
  await rows.filter({ hasText: /made a code for phones/ }).waitFor({ state: "detached" });
  await rows.filter({ hasText: steps[3] }).first().waitFor();
  await page.getByLabel("What", { exact: true }).selectOption({ label: "Phone removed" });
  await page.getByText("1 shown. That is everything.").waitFor();
  // The head is a row, too.
  assert.equal(await rows.count(), 2);

  await page.getByRole("button", { name: "Clear" }).click();
  await rows.filter({ hasText: /made a code for phones/ }).waitFor();
  const { items } = await here.desk.running.get("/admin/audit?limit=200");
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as a spreadsheet" }).click(),
  ]);
  assert.match(file.suggestedFilename(), /^what-happened-\d{4}-\d{2}-\d{2}\.csv$/);
  const [head, ...lines] = readFileSync(await file.path(), "utf8")
    .trim()
    .split("\r\n");
  assert.match(head ?? "", /kind|action/);
  // The file tells of itself, too.
  assert.equal(lines.length, items.length + 1);
  assert.equal(lines.filter((line) => line.includes("audit_exported")).length, 1);
  assert.ok(lines.some((line) => line.includes("device_removed") && line.includes(NAME)));
  await rows.filter({ hasText: "saved this list as a spreadsheet" }).first().waitFor();
  // The browser tells of what the desk refuses a phone that it has removed.
  const isRefusal = (/** @type {string} */ line) => line.includes("403 (Forbidden)");
  assert.deepEqual([...phone.heard.filter((line) => !isRefusal(line)), ...heard], []);
});
