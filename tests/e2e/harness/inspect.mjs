// Everything that can be measured of one screen: axe, layout, focus, motion, forced colours, in every look.

import { barriers } from "./browser.mjs";
import { focusFaults, forcedColourFaults, motionFaults } from "./focus.mjs";
import { DESK_RULES, layoutFaults, PHONE_RULES } from "./layout.mjs";
import {
  DESK_SIZES,
  DESK_ZOOMED,
  enlarge,
  PHONE_FACES,
  PHONE_NARROW,
  PHONE_SHORT,
  PHONE_SIZE,
  THEMES,
  turnDesk,
  turnPhone,
} from "./looks.mjs";

/**
 * What is wrong with a screen of the desk, one line each.
 * @param {import("playwright-core").Page} page
 */
export async function inspectDesk(page) {
  /** @type {string[]} */
  const faults = [];
  const note = (/** @type {string} */ look, /** @type {string[]} */ found) =>
    faults.push(...found.map((fault) => `${look}: ${fault}`));
  for (const size of DESK_SIZES) {
    await resize(page, size);
    note(size.name, await layoutFaults(page, DESK_RULES));
    for (const theme of THEMES) {
      await turnDesk(page, theme);
      note(`${size.name} ${theme}`, await barriers(page));
    }
    await turnDesk(page, "light");
  }
  await resize(page, DESK_ZOOMED);
  note(DESK_ZOOMED.name, await layoutFaults(page, DESK_RULES));
  const [first] = DESK_SIZES;
  await resize(page, first);
  await inAnyLook(page, note);
  return [...new Set(faults)];
}

/**
 * Gives the window a size, and waits for what is drawn anew for it.
 * @param {import("playwright-core").Page} page
 * @param {{ width: number, height: number }} size
 */
async function resize(page, size) {
  await page.setViewportSize(size);
  await page.evaluate(async () => {
    // The page hears of its size with the next frame.
    for (let frame = 0; frame < 2; frame += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
  });
  const redrawn = '[aria-busy="true"] figure, figure[aria-busy="true"]';
  await page.waitForFunction((busy) => document.querySelector(busy) === null, redrawn);
}

/**
 * What is wrong with a screen of the phone, one line each.
 * @param {import("playwright-core").Page} page
 */
export async function inspectPhone(page) {
  /** @type {string[]} */
  const faults = [];
  const note = (/** @type {string} */ look, /** @type {string[]} */ found) =>
    faults.push(...found.map((fault) => `${look}: ${fault}`));
  for (const face of PHONE_FACES) {
    await turnPhone(page, face);
    note(face, await barriers(page));
    note(face, await layoutFaults(page, PHONE_RULES));
  }
  await turnPhone(page, "light");
  for (const size of /** @type {const} */ (["large", "largest"])) {
    await enlarge(page, size);
    note(`${size} text`, await layoutFaults(page, PHONE_RULES));
  }
  await enlarge(page, "normal");
  for (const size of [PHONE_SHORT, PHONE_NARROW]) {
    await page.setViewportSize(size);
    note(size.name, await layoutFaults(page, PHONE_RULES));
  }
  await page.setViewportSize(PHONE_SIZE);
  await inAnyLook(page, note);
  return [...new Set(faults)];
}

/**
 * @param {import("playwright-core").Page} page
 * @param {(look: string, found: string[]) => void} note
 */
async function inAnyLook(page, note) {
  await page.emulateMedia({ forcedColors: "active" });
  note("forced colours", await forcedColourFaults(page));
  await page.emulateMedia({ forcedColors: "none", reducedMotion: "reduce" });
  note("less motion", await motionFaults(page));
  note("Tab", await focusFaults(page));
}
