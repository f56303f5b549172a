// Every screen and state of the desk, in the county show: axe-core finds no barrier, nothing is cut or too small, Tab
// leads through all of it, in both sizes, light and dark, at 200 % zoom, with less motion and with forced colours.

import assert from "node:assert/strict";
import { test } from "node:test";

import { complaints, openBrowser, WINDOW } from "./harness/browser.mjs";
import { inspectDesk } from "./harness/inspect.mjs";
import { TIME_ZONE } from "./scenes/county.mjs";
import { deskScenes } from "./scenes/desk-play.mjs";

test("no screen of the desk has a fault that can be measured", async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const options = { ...WINDOW, timezoneId: TIME_ZONE, locale: "en-US" };
  const only = new RegExp(process.env["SHOWDESK_SCENES"] ?? ".");
  await deskScenes(browser, options, only, async (scene, page) => {
    await t.test(scene.name, async () => {
      const heard = complaints(page);
      const faults = await inspectDesk(page);
      // Of an answer that is refused the browser tells by itself.
      const complained = heard.filter((line) => !(scene.isRefused && line.startsWith("Failed to load resource")));
      assert.equal([...faults, ...complained].join("\n"), "");
    });
  });
});
