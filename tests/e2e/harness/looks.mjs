// What a page is looked at in: sizes, light and dark, sun mode and text sizes, zoom, less motion, forced colours.

/** The sizes of the desk's window that it is made for, and half of the first: the page at 200 % zoom. */
export const DESK_SIZES = /** @type {const} */ ([
  { name: "1280×800", width: 1280, height: 800 },
  { name: "1024×700", width: 1024, height: 700 },
]);
export const DESK_ZOOMED = {
  name: "1280×800 at 200 %",
  width: 640,
  height: 400,
};

/** A phone, one with two browser bars, and the narrowest that pages must fit. */
export const PHONE_SIZE = { name: "390×844", width: 390, height: 844 };
export const PHONE_SHORT = { name: "390×664", width: 390, height: 664 };
export const PHONE_NARROW = { name: "320×568", width: 320, height: 568 };

/**
 * In what something that people do is played: the desk's window and both pages' colours. The phone is of `PHONE_SIZE`.
 * @typedef {{ name: string, window: { width: number, height: number }, theme: "light" | "dark", sun?: true }} Look
 *   `sun`: the phone is in sun mode
 */

const [LARGE, SMALL] = DESK_SIZES;

/**
 * @param {{ name: string, width: number, height: number }} size
 * @param {"light" | "dark"} theme
 * @returns {Look}
 */
const look = ({ name, width, height }, theme) => ({
  name: `${name}, ${theme}`,
  window: { width, height },
  theme,
});

const LIGHT = look(LARGE, "light");
const DARK = look(SMALL, "dark");

/** What is done at the desk alone is played in each size, light and dark. */
export const DESK_LOOKS = [LIGHT, DARK, look(LARGE, "dark"), look(SMALL, "light")];

/** What is done on a phone is played light and dark; where the desk takes part, in one size each. */
export const PHONE_LOOKS = [LIGHT, DARK];

/** What is done outside, at the gate and at the scale, is played in sun mode and dark. */
export const BARN_LOOKS = [{ ...LIGHT, name: "sun", sun: /** @type {const} */ (true) }, DARK];

export const THEMES = /** @type {const} */ (["light", "dark"]);

/** @typedef {"light" | "dark" | "sun"} Face */

/** What a phone's screen can be: sun mode is always light. */
export const PHONE_FACES = /** @type {const} */ (["light", "dark", "sun"]);

/**
 * Turns the desk's page to a theme, as its own switch does.
 * @param {import("playwright-core").Page} page
 * @param {"light" | "dark"} theme
 */
export async function turnDesk(page, theme) {
  await page.emulateMedia({ colorScheme: theme });
  await page.waitForFunction((name) => document.documentElement.dataset["theme"] === name, theme);
}

/**
 * Turns the phone's page to a face, as More does.
 * @param {import("playwright-core").Page} page
 * @param {Face} face
 */
export async function turnPhone(page, face) {
  await page.emulateMedia({ colorScheme: face === "dark" ? "dark" : "light" });
  await page.evaluate(async (name) => {
    // The page itself follows the phone's colours first.
    for (let frame = 0; frame < 2; frame += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
    const isSun = name === "sun";
    // Where the switch stands it is used, behind a sheet too, so that the picture shows it as it is.
    const turn = document.querySelector("main > [role=switch]:first-child");
    if (turn instanceof HTMLElement && (turn.getAttribute("aria-checked") === "true") !== isSun) turn.click();
    const { dataset } = document.documentElement;
    dataset["theme"] = name === "dark" ? "dark" : "light";
    if (isSun) dataset["sun"] = "on";
    else delete dataset["sun"];
  }, face);
}

/**
 * Makes the text of the phone's page larger, as More does.
 * @param {import("playwright-core").Page} page
 * @param {"normal" | "large" | "largest"} size
 */
export async function enlarge(page, size) {
  await page.evaluate((name) => {
    const { dataset } = document.documentElement;
    if (name === "normal") delete dataset["text"];
    else dataset["text"] = name;
  }, size);
}
