// Pictures of pages, small enough to be kept beside the documents.

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Takes a picture when the page is still.
 * @param {import("playwright-core").Page} page
 * @param {string} file
 */
export async function take(page, file) {
  mkdirSync(dirname(file), { recursive: true });
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: file, animations: "disabled", caret: "hide" });
}

/**
 * Makes the pictures of a folder small, where that does not show.
 * @param {string} folder
 */
export function squeeze(folder) {
  const NOT_SMALLER = [98, 99];
  const files = readdirSync(folder).filter((name) => name.endsWith(".png"));
  for (const name of files) {
    const file = join(folder, name);
    const words = ["--force", "--skip-if-larger", "--quality", "80-98", "--speed", "1", "--output", file, "--", file];
    try {
      execFileSync("pngquant", words, { stdio: "pipe" });
    } catch (error) {
      // It would not become smaller, or not without being seen.
      if (!NOT_SMALLER.includes(/** @type {{ status?: number }} */ (error).status ?? 0)) throw error;
    }
  }
  return files.reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0);
}
