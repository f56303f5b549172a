// Debian's Chromium, driven by playwright-core, and axe-core on what it shows.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

// The pages' packages are the only npm packages of the project; the browser tests use theirs.
const ofTheUi = createRequire(new URL("../../../ui/package.json", import.meta.url));

/** @type {typeof import("playwright-core")} */
const { chromium } = ofTheUi("playwright-core");
const axeSource = readFileSync(ofTheUi.resolve("axe-core/axe.min.js"), "utf8");

const CHROMIUM = "/usr/bin/chromium";

/** No sandbox as root, no look-ups of hosts that are not ours. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What a phone's browser looks like to a page. */
export const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};

/** The size of the desk's window. */
export const WINDOW = { viewport: { width: 1280, height: 800 } };

/** Starts a browser with nothing in it. */
export function openBrowser() {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/**
 * Starts a browser of somebody who has installed this certificate and switched it on.
 * @param {Uint8Array} certificate as the desk gives it out
 */
export async function openTrustingBrowser(certificate) {
  const home = mkdtempSync(join(tmpdir(), "showdesk-trust-"));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: FLAGS,
    env: trustIn(home, certificate),
  });
  browser.on("disconnected", () => rmSync(home, { recursive: true, force: true }));
  return browser;
}

/**
 * One phone for many days: what its browser keeps outlives it. Each certificate that it is opened with stays installed.
 * @param {string} home a folder of its own
 * @param {Uint8Array} certificate as the desk gives it out
 */
export async function openLastingPhone(home, certificate) {
  const env = trustIn(home, certificate);
  const options = { ...PHONE, executablePath: CHROMIUM, args: FLAGS, env };
  return await chromium.launchPersistentContext(join(home, "profile"), options);
}

/**
 * Installs a certificate for whoever has this home.
 * @param {string} home
 * @param {Uint8Array} certificate
 * @returns the surroundings of a browser that is theirs
 */
function trustIn(home, certificate) {
  // Chromium on Linux looks for what its user trusts in the user's own folder.
  const folder = join(home, ".pki", "nssdb");
  const [database, file] = [`sql:${folder}`, join(home, "ca.crt")];
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    execFileSync("certutil", ["-d", database, "-N", "--empty-password"]);
  }
  writeFileSync(file, certificate);
  const name = `the show's ${createHash("sha256").update(certificate).digest("hex")}`;
  execFileSync("certutil", ["-d", database, "-A", "-t", "C,,", "-n", name, "-i", file]);
  return { ...process.env, HOME: home };
}

/**
 * What axe-core finds wrong on the page, one line each.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>}
 */
export async function barriers(page) {
  // The page forbids scripts that are not its own; an evaluated one is the browser's.
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    // What fades in is judged when it is there: half way its colours are nobody's. A spinner never ends.
    const ends = (/** @type {Animation} */ motion) =>
      Number.isFinite(Number(motion.effect?.getComputedTiming().endTime));
    await Promise.allSettled(
      document
        .getAnimations()
        .filter(ends)
        .map((motion) => motion.finished),
    );
    const axe = /** @type {any} */ (globalThis).axe;
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations.flatMap((/** @type {any} */ violation) =>
      violation.nodes.map(
        (/** @type {any} */ node) => `${violation.id}: ${node.target.join(" ")} (${node.failureSummary})`,
      ),
    );
  });
}

/**
 * Errors that the page's own scripts throw, and requests that the page's policy forbids.
 * @param {import("playwright-core").Page} page
 * @returns {string[]} grows while the page runs
 */
export function complaints(page) {
  /** @type {string[]} */
  const heard = [];
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    // A desk that is really stopped refuses connections, and the browser says so.
    if (message.type() === "error" && !text.includes("net::ERR_")) heard.push(`${text} ${message.location().url}`);
  });
  return heard;
}
