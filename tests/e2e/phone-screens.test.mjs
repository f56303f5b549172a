// Every screen and state of the phone, in the county show: axe-core finds no barrier, nothing is cut, every target is
// large enough for a thumb, in light, dark and sun mode, with larger text, on short and narrow phones.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openBrowser } from "./harness/browser.mjs";
import { inspectPhone } from "./harness/inspect.mjs";
import { TIME_ZONE } from "./scenes/county.mjs";
import { phoneScenes } from "./scenes/phone-scenes.mjs";

test("no screen of the phone has a fault that can be measured", async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const options = { timezoneId: TIME_ZONE, locale: "en-US" };
  const only = new RegExp(process.env["SHOWDESK_SCENES"] ?? ".");
  await phoneScenes(browser, options, only, async (scene, page) => {
    await t.test(scene.name, async () => {
      assert.equal((await inspectPhone(page)).join("\n"), "");
    });
  });
});
