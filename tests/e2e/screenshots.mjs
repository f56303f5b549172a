// Takes the pictures of the README: the real window on a screen of Xvfb, and a phone's page.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { openBrowser } from "./harness/browser.mjs";
import { openDisplay } from "./harness/display.mjs";
import { PhonePage } from "./harness/phone-page.mjs";
import { until } from "./harness/wait.mjs";
import { DeskWindow, freePort } from "./harness/window.mjs";

const PICTURES = fileURLToPath(new URL("../../docs/screens/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "showdesk-pictures-"));

const screen = await openDisplay();
const browser = await openBrowser();
const http = `127.0.0.1:${await freePort()}`;
const desk = await DeskWindow.open(screen.display, ["--data-dir", folder, "--demo", "county", "--http", http]);
try {
  await until("the overview is shown", async () => (await desk.text()).includes("entries in the show"));
  const { url } = await desk.api("POST", "/admin/pairings", { functions: ["checkin", "scale"], mode: "open" });
  const { items } = await desk.api("GET", "/admin/entries?limit=200");
  const waiting = items.filter((/** @type {any} */ item) => item.tag && item.species === "swine");
  const free = waiting.filter((/** @type {any} */ item) => item.official_weight_x10 === null);

  const maria = await joined("Maria Ruiz", url);
  await maria.weigh(free[0].tag, 251);
  await maria.weigh(free[1].tag, 263);
  await maria.says("All sent");
  await maria.show("work");
  await maria.page.getByText("263 lb").waitFor();
  await desk.press("Connect a phone");
  await desk.type("Wi-Fi name", "Showbarn");
  await desk.press("Show the Wi-Fi code");
  await desk.press("Make a code");
  await until("both codes are drawn", () =>
    desk.run("return document.querySelectorAll('dialog .qr svg').length === 2"),
  );
  await desk.press("Close");

  const asks = await PhonePage.open(browser, url);
  await asks.ask("Rosa Delgado");
  await until("the desk shows who asks", async () => (await desk.text()).includes("Rosa Delgado"));

  mkdirSync(PICTURES, { recursive: true });
  await maria.page.screenshot({ path: join(PICTURES, "phone-work.png") });
  await until("the window is painted", async () => desk.run("return document.fonts.status === 'loaded'"));
  writeFileSync(join(PICTURES, "desk-overview.png"), screen.picture());
} finally {
  await browser.close();
  await desk.close();
  await screen.close();
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string} name
 * @param {string} url
 */
async function joined(name, url) {
  const phone = await PhonePage.open(browser, url);
  await phone.ask(name);
  const { items } = await desk.api("GET", "/admin/pairings?status=waiting");
  for (const asks of items) await desk.api("POST", `/admin/pairings/${asks.pairing_id}/approve`, {});
  await phone.joined();
  return phone;
}
