// The desk page in a browser, given its token the way the window gives it.

import { WINDOW } from "./browser.mjs";

/**
 * @param {import("playwright-core").Browser} browser
 * @param {import("./desk.mjs").Desk} desk
 * @param {"light" | "dark"} theme
 * @param {string} [hash]
 * @param {{ width: number, height: number }} [window]
 */
export async function openDeskPage(browser, desk, theme, hash = "#/", window = WINDOW.viewport) {
  const context = await browser.newContext({
    viewport: window,
    colorScheme: theme,
  });
  await context.addInitScript(desk.page.script);
  const page = await context.newPage();
  await page.goto(`${desk.page.url}${hash}`);
  return page;
}
