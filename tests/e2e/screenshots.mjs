// Takes a picture of every screen and state of desk and phone, from the running program with the county show, and
// writes the page that lists them.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { openBrowser, PHONE, WINDOW } from "./harness/browser.mjs";
import { PHONE_FACES, THEMES, turnDesk, turnPhone } from "./harness/looks.mjs";
import { squeeze, take } from "./harness/pictures.mjs";
import { TIME_ZONE } from "./scenes/county.mjs";
import { deskScenes } from "./scenes/desk-play.mjs";
import { phoneScenes } from "./scenes/phone-scenes.mjs";

const PICTURES = process.env["SHOWDESK_PICTURES"] ?? fileURLToPath(new URL("../../docs/screens/", import.meta.url));
const [SIDE = "both", ...NAMES] = process.argv.slice(2);
const ONLY = new RegExp(NAMES.join("|") || ".");
const IS_WHOLE = SIDE === "both";
const OPTIONS = {
  timezoneId: TIME_ZONE,
  locale: "en-US",
  reducedMotion: /** @type {const} */ ("reduce"),
};

process.env["FONTCONFIG_FILE"] = fileURLToPath(new URL("harness/phone-fonts.conf", import.meta.url));
const browser = await openBrowser();
/** @type {{ side: "desk" | "phone", name: string, shows: string, beside?: string, faces: readonly string[] }[]} */
const taken = [];
try {
  if (IS_WHOLE) rmSync(PICTURES, { recursive: true, force: true });
  mkdirSync(PICTURES, { recursive: true });
  if (SIDE !== "phone")
    await deskScenes(browser, { ...WINDOW, ...OPTIONS }, ONLY, async (scene, page) => {
      for (const theme of THEMES) {
        await turnDesk(page, theme);
        await take(page, join(PICTURES, "desk", `${scene.name}-${theme}.png`));
      }
      await turnDesk(page, "light");
      taken.push({ side: "desk", faces: THEMES, ...scene });
    });
  if (SIDE !== "desk")
    await phoneScenes(browser, { ...PHONE, ...OPTIONS }, ONLY, async (scene, page) => {
      for (const face of PHONE_FACES) {
        await turnPhone(page, face);
        await take(page, join(PICTURES, "phone", `${scene.name}-${face}.png`));
      }
      await turnPhone(page, "light");
      taken.push({ side: "phone", faces: PHONE_FACES, ...scene });
    });
} finally {
  await browser.close();
}
if (IS_WHOLE) {
  for (const side of ["desk", "phone"]) {
    const bytes = squeeze(join(PICTURES, side));
    console.error(`${side}: ${(bytes / 1024 / 1024).toFixed(1)} MB`);
  }
  writeFileSync(join(PICTURES, "README.md"), index());
}

/** The page that lists the pictures, one line each. */
function index() {
  const lines = (/** @type {"desk" | "phone"} */ side) =>
    taken
      .filter((one) => one.side === side)
      .map(({ name, shows, beside, faces }) => {
        const links = faces.map((face) => `[${face}](${side}/${name}-${face}.png)`).join(" ");
        return `| ${name} | ${shows} | ${beside ?? "–"} | ${links} |`;
      });
  const table = ["| picture | what it shows | its drawing | |", "|---|---|---|---|"];
  return [
    "# Screens",
    "",
    "Every screen and state, taken by `cargo xtask screenshots` from the running program with the county show on its second morning.",
    "A name in the third column is the drawing that the picture was held against; the drawings are not part of this repository.",
    "",
    "## Desk, 1280×800",
    "",
    ...table,
    ...lines("desk"),
    "",
    "## Phone, 390×844",
    "",
    ...table,
    ...lines("phone"),
    "",
  ].join("\n");
}
