// Plays the desk's scenes in a browser: an empty show first, then the county show's second morning.

import { Desk } from "../harness/desk.mjs";
import { PhonePage } from "../harness/phone-page.mjs";
import { friday, TIME_ZONE } from "./county.mjs";
import { BETWEEN, done, lookingThrough } from "./desk-doing.mjs";
import { deciding, FIRST, LATER, MORNING } from "./desk-scenes.mjs";
import { HEALTH, NO_HEALTH } from "./health.mjs";
import { MESSAGES, NO_MESSAGES } from "./messages.mjs";
import { afterTheOutage, morning } from "./morning.mjs";

/**
 * @typedef {import("playwright-core").Page} Page
 * @typedef {import("./desk-scenes.mjs").DeskScene} DeskScene
 */

const SCENE_MS_MAX = 10_000;
/** What this computer remembers of the Wi-Fi, so that its code can be drawn. */
const WIFI = JSON.stringify({ ssid: "Showbarn", password: "sunday-best" });

/**
 * Plays the desk's scenes: an empty show, then the county show.
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} options
 * @param {RegExp} only scenes to play
 * @param {(scene: DeskScene, page: Page) => Promise<void>} tell
 */
export async function deskScenes(browser, options, only, tell) {
  /** @type {string[]} */
  const missed = [];
  /** @type {(desk: Desk, now: Date, scenes: DeskScene[]) => Promise<void>} */
  const play = async (desk, now, scenes) => {
    for (const scene of scenes.filter(({ name }) => only.test(name))) {
      const context = await browser.newContext({
        ...options,
        colorScheme: "light",
      });
      await context.addInitScript(desk.page.script);
      await context.addInitScript((wifi) => localStorage.setItem("showdesk.wifi", wifi), WIFI);
      await context.clock.setFixedTime(now);
      const page = await context.newPage();
      page.setDefaultTimeout(SCENE_MS_MAX);
      await page.goto(`${desk.page.url}${scene.hash}`);
      // What does not come is told of at the end; its picture shows what came instead.
      await scene.open(page).catch((error) => missed.push(`${scene.name}: ${error.message}`));
      await tell(scene, page);
      await context.close();
    }
  };
  const empty = await Desk.open({ at: friday("08:00"), timeZone: TIME_ZONE });
  try {
    await play(empty, friday("08:00"), [...FIRST, ...NO_MESSAGES, ...NO_HEALTH]);
  } finally {
    await empty.close();
  }
  const show = await morning();
  const { county } = show;
  try {
    const { url } = await county.desk.openJoining(["gate"]);
    await Promise.all([asks(browser, url, "Rosa Delgado"), asks(browser, url, "Wes Tanaka")]);
    await play(county.desk, county.now(), [...MORNING, ...MESSAGES, ...HEALTH]);
    await afterTheOutage(show);
    const clashes = await county.clashes();
    const file = await handsOver(browser, county);
    await play(county.desk, county.now(), [...LATER, ...BETWEEN, lookingThrough(file), ...deciding(clashes)]);
    const decide = (/** @type {any} */ one) => county.decide(one, "server_wins", "Read at the chute");
    await play(county.desk, county.now(), done(clashes, decide));
  } finally {
    await county.close();
  }
  if (missed.length > 0) throw new Error(missed.join("\n"));
}

/**
 * A phone that scanned the code and waits for Allow.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {string} name
 */
async function asks(browser, url, name) {
  const phone = await PhonePage.open(browser, url);
  await phone.ask(name);
}

/**
 * A phone that is away saves its entries as a file. Answers where it is.
 * @param {import("playwright-core").Browser} browser
 * @param {import("./county.mjs").County} county
 */
async function handsOver(browser, county) {
  const { url } = await county.desk.openJoining(["checkin"]);
  const phone = await PhonePage.open(browser, url, "light", { at: county.now(), timezoneId: TIME_ZONE });
  await phone.ask("Kim Brandt");
  await county.desk.allow("Kim Brandt");
  await phone.joined();
  const coming = await county.rows("animals", (data) => data["arrived_at"] === null && data["species"] === "sheep");
  await phone.cut();
  for (const { data } of coming.slice(0, 3)) await phone.checkIn(String(data["tag"]));
  await phone.show("waiting");
  const [file] = await Promise.all([
    phone.page.waitForEvent("download"),
    phone.page.getByRole("button", { name: "Save file" }).click(),
  ]);
  return file.path();
}
