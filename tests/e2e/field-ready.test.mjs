// A phone that trusts the show's certificate opens without the laptop; one that does not any more says so; and both
// find a laptop whose address has changed.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { barriers, openBrowser, openLastingPhone, openTrustingBrowser } from "./harness/browser.mjs";
import { Desk } from "./harness/desk.mjs";
import { PhonePage } from "./harness/phone-page.mjs";
import { until } from "./harness/wait.mjs";

/** @type {Desk} */
let desk;
/** @type {import("playwright-core").Browser} */
let trusting;

before(async () => {
  desk = await Desk.open({ demo: "small", https: true });
  trusting = await openTrustingBrowser(await certificate());
});

after(async () => {
  await trusting?.close();
  await desk?.close();
});

/** The show's certificate, as a phone downloads it. */
async function certificate() {
  const answer = await fetch(`http://${desk.http}/ca.crt`);
  assert.equal(answer.headers.get("content-type"), "application/x-x509-ca-cert");
  return new Uint8Array(await answer.arrayBuffer());
}

/**
 * A phone that has joined over plain HTTP.
 * @param {import("playwright-core").Browser} browser
 * @param {string} name
 * @param {string[]} functions
 */
async function quickPhone(browser, name, functions) {
  const { url } = await desk.openJoining(functions);
  const phone = await PhonePage.open(browser, url);
  await phone.ask(name);
  await desk.allow(name);
  await phone.joined();
  return phone;
}

/**
 * A browser that has this phone and no other.
 * @param {import("playwright-core").BrowserContext} context
 */
function only(context) {
  return /** @type {import("playwright-core").Browser} */ (
    /** @type {unknown} */ ({ newContext: async () => context })
  );
}

/**
 * A phone that went through the guide up to the page with the certificate.
 * @param {string} name
 * @param {import("playwright-core").Browser} [browser]
 */
async function fieldReadyPhone(name, browser = trusting) {
  const phone = await quickPhone(browser, name, ["checkin"]);
  await phone.show("more");
  await phone.page.getByRole("button", { name: "Open it now" }).click();
  await phone.page.getByRole("button", { name: `Go on as ${name}` }).click();
  await phone.joined();
  await phone.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  return phone;
}

/** @returns {Promise<{ animal_id: string, tag: string }>} an animal that has not arrived */
async function animalToCome() {
  const rows = await desk.office.rows("animals");
  const row = rows.find(({ data }) => data["arrived_at"] === null && data["tag"] !== null);
  assert.ok(row, "an animal is still to come");
  return { animal_id: row.record_id, tag: String(row.data["tag"]) };
}

/** @param {{ animal_id: string }} animal */
async function hasArrived({ animal_id }) {
  const { items } = await desk.running.get(`/admin/records/animals/${animal_id}/history`);
  return items[0].snapshot.arrived_at !== null;
}

/** @param {string} name */
async function devicesOf(name) {
  const { items } = await desk.running.get("/admin/devices");
  return items.filter((/** @type {any} */ device) => device.name === name);
}

test("a phone goes on over HTTPS as the same phone, and opens with the desk dead", async () => {
  const phone = await fieldReadyPhone("Nora Diaz");
  assert.equal(new URL(phone.page.url()).host, desk.https);
  assert.equal(new URL(phone.page.url()).hash, "#/work", "the pass is gone from the address");
  await phone.show("more");
  await phone.page.getByRole("heading", { name: "This phone: field-ready" }).waitFor();
  assert.deepEqual(await barriers(phone.page), []);
  const level = await until("the desk knows the level", async () => {
    const [device] = await devicesOf("Nora Diaz");
    return device?.level === "field_ready" && device;
  });
  assert.equal((await devicesOf("Nora Diaz")).length, 1, "it is one phone, not two");
  assert.equal(level.fork_suspected_at, null);

  const animal = await animalToCome();
  await desk.kill();
  await phone.page.reload();
  await phone.says("Away");
  await phone.checkIn(animal.tag);
  await phone.says("1 kept");
  const tab = new PhonePage(await phone.page.context().newPage());
  await tab.page.goto(`https://${desk.https}/`);
  await tab.says("1 kept");
  await tab.page.close();
  await desk.start();
  await phone.says("All sent");
  await until(`${animal.tag} is here`, () => hasArrived(animal));
  await phone.close();
});

test("the page before is left behind, and the pass that was carried works once", async () => {
  const phone = await quickPhone(trusting, "Otto Stone", ["checkin"]);
  await phone.show("more");
  await phone.page.getByRole("button", { name: "Open it now" }).click();
  await phone.page.waitForURL(/#\/moved\//);
  const carried = phone.page.url();
  assert.match(carried, /#\/moved\/lsd_/);
  await phone.page.getByRole("button", { name: "Go on as Otto Stone" }).click();
  await phone.joined();

  const stranger = await trusting.newContext();
  const late = await stranger.newPage();
  await late.goto(carried);
  await late.getByText("This way in was used already").waitFor();
  await stranger.close();

  const before = new PhonePage(await phone.page.context().newPage());
  await before.page.goto(`http://${desk.http}/`);
  await before.page.getByText("This phone goes on at another page").waitFor();
  await phone.close();
});

test("a phone with unsent entries is not led to another storage", async () => {
  const phone = await quickPhone(trusting, "Ida Vale", ["checkin"]);
  const animal = await animalToCome();
  await phone.page.route("**/sync/push", (route) => route.abort());
  await phone.checkIn(animal.tag);
  await phone.show("more");
  await phone.page.getByText("Finish sending first, 1 waiting").first().waitFor();
  assert.equal(await phone.page.getByRole("button", { name: "Open it now" }).isEnabled(), false);
  await phone.page.unroute("**/sync/push");
  await phone.says("All sent");
  await until("the way is open", () => phone.page.getByRole("button", { name: "Open it now" }).isEnabled());
  await phone.close();
});

test("a phone that does not trust the certificate stays where it is, and is told what is missing", async (t) => {
  const plain = await openBrowser();
  t.after(() => plain.close());
  const phone = await quickPhone(plain, "Wes Tanaka", ["scale"]);
  await phone.show("more");
  const { fingerprint_prefix } = await (await fetch(`http://${desk.http}/api/v1/ping`)).json();
  const inFours = fingerprint_prefix.toUpperCase().match(/.{4}/g).join(" ");
  await phone.page.getByText(inFours).first().waitFor();
  const download = phone.page.waitForEvent("download");
  await phone.page.getByRole("link", { name: "Download" }).click();
  await (await download).cancel();
  await phone.page.getByRole("button", { name: "It didn't work" }).click();
  await phone.page.getByText("Installed, but not switched on").waitFor();
  await phone.page.getByRole("button", { name: "OK" }).click();
  assert.equal(await phone.page.getByRole("button", { name: "Open it now" }).count(), 0);
  assert.equal(await phone.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0);
  await phone.close();
});

test("the laptop's address changes and entries still arrive", async (t) => {
  const before = { http: desk.http, https: desk.https };
  t.after(async () => {
    await desk.stop();
    Object.assign(desk, before);
    await desk.start();
  });
  const quick = await quickPhone(trusting, "Ana Sol", ["checkin"]);
  const ready = await fieldReadyPhone("Sam Lee");
  const animal = await animalToCome();
  await desk.kill();
  await quick.checkIn(animal.tag);
  await quick.says("1 kept");
  desk.http = desk.http.replace("127.0.0.1", "127.0.0.2");
  desk.https = String(desk.https).replace("127.0.0.1", "127.0.0.2");
  await desk.start();
  for (const phone of [quick, ready]) {
    await phone.show("waiting");
    await phone.page.getByText("Has the laptop a new address?").click();
    await phone.page.getByLabel("Address of the laptop").fill("127.0.0.2");
    await phone.page.getByRole("button", { name: "Look there" }).click();
    await phone.says("All sent");
    await phone.page.getByText("The laptop has moved to a new address").waitFor();
  }
  await until(`${animal.tag} is here`, () => hasArrived(animal));
  // Both go on at the new address by themselves from now on.
  const other = await animalToCome();
  await ready.checkIn(other.tag);
  await until(`${other.tag} is here`, () => hasArrived(other));
  await quick.show("work");
  await quick.page.getByRole("button", { name: `Open the show at ${desk.http}` }).click();
  await quick.page.getByRole("button", { name: "Go on as Ana Sol" }).click();
  await quick.joined();
  assert.equal(new URL(quick.page.url()).host, desk.http);
  await quick.close();
  await ready.close();
});

test("with a foreign certificate the phone says so, and what it keeps goes out once the new one is installed", async () => {
  const home = mkdtempSync(join(tmpdir(), "showdesk-lasting-"));
  after(() => rmSync(home, { recursive: true, force: true }));
  const first = await openLastingPhone(home, await certificate());
  const phone = await fieldReadyPhone("Ivy Marsh", only(first));
  const page = phone.page.url();
  const animal = await animalToCome();
  await desk.running.post("/admin/network/renew", { authority: true });
  // Connections that were trusted before are gone, as on any day.
  await desk.kill();
  await desk.start();
  await phone.page.reload();
  await phone.show("work");
  await phone.page.getByText("This phone no longer trusts the laptop").first().waitFor();
  await phone.checkIn(animal.tag);
  await phone.says("1 kept");
  await phone.show("work");
  await phone.page.getByText("This phone no longer trusts the laptop – 1 kept on this phone").waitFor();
  assert.equal(await hasArrived(animal), false);
  assert.deepEqual(await barriers(phone.page), []);

  await phone.page.getByRole("link", { name: "What to do" }).click();
  const opened = first.waitForEvent("page");
  await phone.page.getByRole("link", { name: "Ask the laptop" }).click();
  const plain = await opened;
  await plain.getByText("The laptop has a new certificate").waitFor();
  await first.close();

  const second = await openLastingPhone(home, await certificate());
  const again = new PhonePage(await second.newPage());
  await again.page.goto(page);
  await again.says("All sent");
  await until(`${animal.tag} is here`, () => hasArrived(animal));
  await second.close();
});
