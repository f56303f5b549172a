// Every screen of desk and phone in a real browser: what a person does there works, and axe-core finds no barrier.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { barriers, complaints, openBrowser } from "./harness/browser.mjs";
import { Desk } from "./harness/desk.mjs";
import { openDeskPage } from "./harness/desk-page.mjs";
import { PhonePage } from "./harness/phone-page.mjs";

const ENTRIES = fileURLToPath(new URL("../vectors/demo-entries.csv", import.meta.url));
const THEMES = /** @type {const} */ (["light", "dark"]);

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Desk} */
let desk;

before(async () => {
  browser = await openBrowser();
  desk = await Desk.open({ demo: "county" });
});

after(async () => {
  await browser?.close();
  await desk?.close();
});

for (const theme of THEMES) {
  test(`overview and joining, ${theme}`, async () => {
    const page = await openDeskPage(browser, desk, theme);
    const heard = complaints(page);
    await page.getByText("640 entries in the show, nothing to check").waitFor();
    assert.deepEqual(await barriers(page), []);

    await page.getByRole("banner").getByRole("button", { name: "Connect a phone" }).click();
    const dialog = page.getByRole("dialog", { name: "Connect a phone" });
    await dialog.getByRole("textbox", { name: "Wi-Fi name" }).fill("Showbarn; guests");
    await dialog.getByRole("button", { name: "Show the Wi-Fi code" }).click();
    await dialog.getByRole("img", { name: "QR code to join the Wi-Fi Showbarn; guests" }).waitFor();
    await dialog.getByRole("button", { name: "Make a code" }).click();
    await dialog.getByRole("img", { name: `QR code that opens http://${desk.http}/#/join/` }).waitFor();
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(heard, []);
    await page.context().close();
  });

  test(`entries are found by any number, ${theme}`, async () => {
    const { items } = await desk.running.get("/admin/entries?limit=1");
    const page = await openDeskPage(browser, desk, theme, "#/entries");
    const heard = complaints(page);
    await page.getByRole("searchbox", { name: "Search entries" }).fill(items[0].tag);
    await page.getByRole("row").filter({ hasText: items[0].exhibitor }).first().waitFor();
    assert.deepEqual(await barriers(page), []);

    await page.getByRole("searchbox", { name: "Search entries" }).fill("no such animal");
    await page.getByText("Nothing found for “no such animal”.").waitFor();
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(heard, []);
    await page.context().close();
  });

  test(`nothing to check, ${theme}`, async () => {
    const page = await openDeskPage(browser, desk, theme, "#/needs-checking");
    const heard = complaints(page);
    await page.getByText(/^Nothing to check\./).waitFor();
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(heard, []);
    await page.context().close();
  });

  test(`an entries file is looked at, imported and taken back, ${theme}`, async () => {
    const page = await openDeskPage(browser, desk, theme, "#/import");
    const heard = complaints(page);
    await page.getByRole("button", { name: "Choose a file" }).waitFor();
    assert.deepEqual(await barriers(page), []);

    const before = await desk.running.get("/admin/overview");
    await page.setInputFiles("input[type=file]", ENTRIES);
    const rows = page.getByRole("button", { name: "Import 11 rows" });
    await rows.waitFor();
    await page.getByText(/^1 row has a fault/).waitFor();
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(counts(await desk.running.get("/admin/overview")), counts(before), "nothing is written yet");

    await rows.click();
    await page.getByText("11 rows came in.").waitFor();
    for (const written of ["10 exhibitors", "11 animals", "11 entries", "9 weights"]) {
      await page.getByText(written).waitFor();
    }
    assert.deepEqual(await barriers(page), []);
    const [exhibitors, animals, entries] = counts(before);
    assert.deepEqual(counts(await desk.running.get("/admin/overview")), [exhibitors + 10, animals + 11, entries + 11]);

    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("The import was taken back.").waitFor();
    assert.deepEqual(counts(await desk.running.get("/admin/overview")), counts(before));
    assert.deepEqual(heard, []);
    await page.context().close();
  });

  test(`a phone joins and shows its screens, ${theme}`, async () => {
    const { url } = await desk.openJoining(["checkin", "scale"]);
    const name = `Ana ${theme}`;
    const phone = await PhonePage.open(browser, url, theme);
    assert.deepEqual(await barriers(phone.page), []);
    await phone.ask(name);
    assert.deepEqual(await barriers(phone.page), []);
    await desk.allow(name);
    await phone.joined();
    for (const screen of PhonePage.SCREENS) {
      await phone.show(screen);
      assert.deepEqual(await barriers(phone.page), [], screen);
    }
    assert.deepEqual(phone.heard, []);
    await phone.close();
  });
}

/**
 * @param {{ exhibitors: number, animals: number, entries: number }} overview
 */
function counts(overview) {
  return /** @type {[number, number, number]} */ ([overview.exhibitors, overview.animals, overview.entries]);
}
