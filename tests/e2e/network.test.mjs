// How phones reach the laptop: what the desk says of it, a test with a phone, help where none gets through, the poster.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { barriers, complaints, openBrowser, PHONE } from "./harness/browser.mjs";
import { Desk } from "./harness/desk.mjs";
import { openDeskPage } from "./harness/desk-page.mjs";

/** After so long without a phone the desk tells the usual causes. */
const PATIENCE_MS = 20_000;

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Desk} */
let desk;

before(async () => {
  browser = await openBrowser();
  desk = await Desk.open({ demo: "small", https: true });
});

after(async () => {
  await browser?.close();
  await desk?.close();
});

/**
 * The test of the network, opened at the desk.
 * @param {import("playwright-core").Page} page
 */
async function testing(page) {
  await page.getByRole("button", { name: "Test this network" }).click();
  const dialog = page.getByRole("dialog", { name: "Test this network" });
  const code = dialog.getByRole("img", { name: /^QR code that opens http/ });
  await code.waitFor();
  const label = await code.getAttribute("aria-label");
  const url = /http\S+/.exec(label ?? "")?.[0];
  assert.ok(url, `the code says which address it opens: ${label}`);
  return { dialog, url };
}

/**
 * Opens the address as the phone's camera does.
 * @param {string} url
 */
async function scan(url) {
  const context = await browser.newContext(PHONE);
  const phone = await context.newPage();
  await phone.goto(url);
  await phone.getByText("This phone reaches the laptop").first().waitFor();
  assert.deepEqual(await barriers(phone), []);
  await context.close();
}

test("the settings tell how phones reach the laptop, and the letters that a phone's settings show", async () => {
  const page = await openDeskPage(browser, desk, "light", "#/settings/network");
  const heard = complaints(page);
  await page.getByText("Protected", { exact: true }).first().waitFor();
  for (const address of [`http://${desk.http}`, `https://${desk.https}`])
    await page.getByRole("button", { name: `Copy the address: ${address}` }).waitFor();
  const { fingerprint } = await desk.running.get("/admin/network");
  assert.match(fingerprint, /^([0-9A-F]{4} ){15}[0-9A-F]{4}$/);
  const panel = await page.getByRole("main").innerText();
  assert.ok(panel.replaceAll(/\s+/g, " ").includes(fingerprint));
  const { fingerprint_prefix } = await (await fetch(`http://${desk.http}/api/v1/ping`)).json();
  assert.ok(fingerprint.replaceAll(" ", "").startsWith(fingerprint_prefix.toUpperCase()), "a phone sees the same");
  assert.deepEqual([...(await barriers(page)), ...heard], []);
  await page.context().close();
});

test("the laptop's own browser is not taken for a phone, and the page shows a phone as the desk tells of one", async () => {
  const page = await openDeskPage(browser, desk, "light", "#/settings/network");
  const heard = complaints(page);
  const { dialog, url } = await testing(page);
  await dialog.getByText("Waiting for a phone…").waitFor();
  await scan(url);
  // Phone and laptop are one machine here, and the desk is not fooled.
  await dialog.getByText("Only this laptop itself opened it.").waitFor();
  await dialog.getByRole("list", { name: "Who got through" }).getByText("This laptop").waitFor();

  // One machine has no second address to come from: the desk's answer is made that of a phone with one. This shows what
  // the page makes of it, not that the desk tells addresses apart.
  await page.route("**/admin/network/tests/*", async (route) => {
    const answer = await route.fetch();
    const state = await answer.json();
    for (const arrival of state.arrivals) Object.assign(arrival, { this_laptop: false, address: "192.0.2.7" });
    await route.fulfill({ response: answer, json: state });
  });
  await dialog.getByText("A phone got through.").waitFor();
  await dialog.getByRole("list", { name: "Who got through" }).getByText("192.0.2.7").waitFor();
  assert.deepEqual([...(await barriers(page)), ...heard], []);
  await page.context().close();
});

test("when nothing arrives the usual causes are told, and a phone that comes late still counts", async () => {
  const page = await openDeskPage(browser, desk, "light");
  const heard = complaints(page);
  await page.clock.install();
  await page.goto(`${desk.page.url}#/settings/network`);
  const { dialog, url } = await testing(page);
  await dialog.getByText("Waiting for a phone…").waitFor();
  assert.equal(await dialog.getByText("Usually it is one of three things").count(), 0);
  await page.clock.runFor(PATIENCE_MS);
  await dialog.getByText("No phone got through yet. Still waiting.").waitFor();
  for (const cause of [
    "The phone is in another Wi-Fi",
    "The laptop’s firewall keeps it out",
    "The Wi-Fi keeps its devices apart",
  ])
    await dialog.getByText(cause, { exact: true }).waitFor();
  await dialog.getByText(`sudo ufw allow ${new URL(url).port}/tcp`).waitFor();
  assert.deepEqual([...(await barriers(page)), ...heard], []);
  await scan(url);
  await page.clock.runFor(PATIENCE_MS);
  await dialog.getByText("Only this laptop itself opened it.").waitFor();
  await page.context().close();
});

test("the poster prints on one page, with both codes and nothing of the frame", async () => {
  const page = await openDeskPage(browser, desk, "light", "#/poster");
  const heard = complaints(page);
  await page.evaluate(() =>
    localStorage.setItem("showdesk.wifi", JSON.stringify({ ssid: "Showbarn", password: "sunday-best" })),
  );
  await page.reload();
  await page.getByRole("button", { name: "Make a code for two hours" }).click();
  const sheet = page.getByRole("article", { name: "Poster for phones" });
  await sheet.getByRole("img", { name: /^QR code that opens http/ }).waitFor();
  await sheet.getByRole("img", { name: "QR code to join the Wi-Fi Showbarn" }).waitFor();
  for (const format of ["A4", "Letter"]) assert.equal(pagesOf(await page.pdf({ format })), 1, format);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByRole("banner").isVisible(), false);
  assert.equal(await page.getByRole("navigation").isVisible(), false);
  assert.equal(await page.getByText("sunday-best").count(), 0, "the password stands in the code only");
  assert.deepEqual(heard, []);
  await page.context().close();
});

/**
 * How many pages a PDF has.
 * @param {Buffer} pdf
 */
const pagesOf = (pdf) => pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
