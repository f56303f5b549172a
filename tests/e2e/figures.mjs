// Measures how fast the pages answer a person, in a real browser with the expo's 21,000 animals. No test: what it finds
// depends on the machine. `node tests/e2e/figures.mjs`, on a machine that does nothing else.

import { openBrowser } from "./harness/browser.mjs";
import { Desk } from "./harness/desk.mjs";
import { openDeskPage } from "./harness/desk-page.mjs";
import { PhonePage } from "./harness/phone-page.mjs";

/** @typedef {import("playwright-core").Page} Page */

const ENTRIES = 40;
const SEARCHES = 100;
const OPENINGS = 15;
/** How much slower than this computer a phone of some years is, as browsers' own tools reckon. */
const SLOWER = 4;
/** A first pull of 21,000 animals on a slowed page. */
const FIRST_PULL_MS_MAX = 120_000;

console.log("| what | target | median | p95 | most | |\n|---|---|---|---|---|---|");
const browser = await openBrowser();
try {
  const expo = await Desk.open({ demo: "expo" });
  try {
    for (const slower of [1, SLOWER]) await phone(expo, slower);
    await deskPages(expo, "expo, 21,000 animals", "");
  } finally {
    await expo.close();
  }
  const county = await Desk.open({ demo: "county" });
  try {
    await deskPages(county, "county show", "1000");
  } finally {
    await county.close();
  }
} finally {
  await browser.close();
}
/**
 * A line of the table.
 * @param {string} what
 * @param {string} target milliseconds that 95 of 100 must keep to; none if empty
 * @param {number[]} ms
 */
function tell(what, target, ms) {
  const sorted = ms.toSorted((one, other) => one - other);
  const at = (/** @type {number} */ share) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  const times = [at(0.5), at(0.95), at(1)].map((time) => `${time} ms`).join(" | ");
  const met = target === "" ? "" : at(0.95) <= Number(target) ? "met" : "**missed**";
  console.log(`| ${what}, ${ms.length} times | ${target && `≤ ${target} ms`} | ${times} | ${met} |`);
}

/**
 * A search is drawn; an entry is kept.
 * @param {Desk} desk
 * @param {number} slower how many times slower than this computer the page runs
 */
async function phone(desk, slower) {
  const { url } = await desk.openJoining(["checkin"]);
  const name = `Phone ${slower}`;
  const it = await PhonePage.open(browser, url);
  const { page } = it;
  const how = slower === 1 ? "" : `, processor ${slower} × slower`;
  const target = slower === 1 ? "50" : "";
  await it.ask(name);
  await desk.allow(name);
  page.setDefaultTimeout(FIRST_PULL_MS_MAX);
  await it.joined();
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: slower });

  const rows = await desk.office.rows("animals");
  const coming = rows.filter(({ data }) => data["arrived_at"] === null && data["tag"]);
  // Tags can be the same in two species; an entry is about one animal.
  const tags = coming.map(({ data }) => String(data["tag"]));
  const single = coming.filter(({ data }) => rows.filter((row) => row.data["tag"] === data["tag"]).length === 1);
  await it.show("check-in");
  const field = page.getByLabel("Find by any number");
  await field.waitFor();
  /** @type {number[]} */
  const searches = [];
  for (let place = 0; place < SEARCHES; place += 1) {
    const tag = tags[(place * 37) % tags.length] ?? "";
    // One digit finds thousands, the whole number one.
    searches.push(await page.evaluate(drawn, tag.slice(0, 1 + (place % tag.length))));
  }
  tell(`phone: typed → found and drawn${how}`, target, searches);

  await page.evaluate(watchEntries);
  for (const { data } of single.slice(slower === 1 ? 0 : ENTRIES, slower === 1 ? ENTRIES : 2 * ENTRIES)) {
    const tag = String(data["tag"]);
    await field.fill(tag);
    await it.take(tag);
    await it.checkInHere(tag);
  }
  const kept = await page.evaluate(() => /** @type {any} */ (globalThis).showdeskKept);
  tell(`phone: tap → entry is kept and said${how}`, target, kept);
  await it.close();
}

/**
 * Runs in the page: types into the field, and answers how long it took until the answer was drawn.
 * @param {string} text
 */
async function drawn(text) {
  const field = document.querySelector("input#find");
  if (!(field instanceof HTMLInputElement)) throw new Error("there is no field");
  const began = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((next) => requestAnimationFrame(next));
  // The frame is out when the next task runs.
  await new Promise((next) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = next;
    port2.postMessage(null);
  });
  return performance.now() - began;
}

/** Runs in the page: from a tap on “Check in” to the words that say it, which come when the entry is on the disk. */
function watchEntries() {
  const kept = /** @type {number[]} */ ([]);
  Object.assign(globalThis, { showdeskKept: kept });
  let tapped = 0;
  addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (button && /^Check in /.test((button.textContent ?? "").trim())) tapped = performance.now();
    },
    { capture: true },
  );
  new MutationObserver(() => {
    if (tapped === 0 || !/checked in/.test(document.querySelector(".undo")?.textContent ?? "")) return;
    kept.push(performance.now() - tapped);
    tapped = 0;
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}

/**
 * The desk's page: opened with nothing kept, and the list of entries.
 * @param {Desk} desk
 * @param {string} show
 * @param {string} target
 */
async function deskPages(desk, show, target) {
  /** @type {number[]} */
  const opened = [];
  /** @type {number[]} */
  const listed = [];
  for (let time = 0; time < OPENINGS; time += 1) {
    opened.push(await opening(desk, "#/", ".tile .value"));
    listed.push(await opening(desk, "#/entries", '[role="grid"] tr[aria-rowindex] td'));
  }
  tell(`desk, ${show}: opened → overview with its numbers`, target, opened);
  tell(`desk, ${show}: opened → the list of entries`, target, listed);
}

/**
 * How long after the page was asked for it shows this, and takes keys.
 * @param {Desk} desk
 * @param {string} hash
 * @param {string} shown
 */
async function opening(desk, hash, shown) {
  const page = await openDeskPage(browser, desk, "light", hash);
  const ms = await page.evaluate(async (selector) => {
    while (document.querySelector(selector) === null) await new Promise((next) => requestAnimationFrame(next));
    // A page that is still busy would not answer a key: idle time says that it is not.
    await new Promise((idle) => requestIdleCallback(idle));
    return performance.now();
  }, shown);
  await page.context().close();
  return ms;
}
