// What measures the screens finds the faults that it is there to find.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openBrowser } from "./harness/browser.mjs";
import { focusFaults, forcedColourFaults, motionFaults } from "./harness/focus.mjs";
import { DESK_RULES, layoutFaults, PHONE_RULES } from "./harness/layout.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/**
 * A page with this in it.
 * @param {string} html
 */
async function showing(html) {
  const page = await browser.newPage({ viewport: { width: 390, height: 600 } });
  await page.setContent(`<!doctype html><html lang="en"><body style="margin:0">${html}</body></html>`);
  return page;
}

/** @type {[string, string, RegExp][]} */
const LAYOUTS = [
  ["a page that scrolls sideways", '<div style="width:500px">wide</div>', /scrolls sideways/],
  ["text outside the window", '<p style="position:absolute;left:-90px">far left</p>', /outside the window/],
  [
    "text that a box cuts",
    '<p style="width:40px;overflow:hidden;white-space:nowrap">a long text</p>',
    /cut at the side/,
  ],
  ["text cut at the foot", '<p style="height:9px;overflow:hidden;font-size:20px">low</p>', /cut at the top or foot/],
  ["a small button", '<button style="width:40px;height:30px">A</button>', /target of 40×30 px, not 56/],
];

for (const [name, html, expected] of LAYOUTS) {
  test(`${name} is found`, async () => {
    const page = await showing(html);
    assert.match((await layoutFaults(page, PHONE_RULES)).join("\n"), expected);
    await page.close();
  });
}

test("two small controls beside each other are found at the desk, and one alone is not", async () => {
  const box = '<input type="checkbox" style="width:16px;height:16px;margin:0">';
  const alone = await showing(`${box}<div style="height:40px"></div>${box}`);
  assert.deepEqual(await layoutFaults(alone, DESK_RULES), []);
  const close = await showing(`<div>${box}${box}</div>`);
  assert.match((await layoutFaults(close, DESK_RULES)).join("\n"), /target of 16×16 px, not 24/);
  for (const page of [alone, close]) await page.close();
});

test("what is right is not a fault", async () => {
  const page = await showing(`
    <p>A sentence with <a href="#x">a link</a> in it.</p>
    <p style="width:40px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis">shortened on purpose</p>
    <div style="width:200px;overflow-x:auto"><div style="width:400px">scrolls by itself</div></div>
    <label style="display:block;padding:12px"><input type="checkbox"> The label is the target</label>`);
  assert.deepEqual(await layoutFaults(page, DESK_RULES), []);
  assert.match((await layoutFaults(page, PHONE_RULES)).join("\n"), /cut at the side/, "the phone shortens nothing");
  await page.close();
});

test("a focus that cannot be seen, is covered or goes back is found, and a good walk is not", async () => {
  const ring = "<style>button:focus-visible { outline: 3px solid blue }</style>";
  const good = await showing(`${ring}<button>One</button><button>Two</button>`);
  assert.deepEqual(await focusFaults(good), []);
  const unseen = await showing("<style>button { outline: none }</style><button>One</button>");
  assert.match((await focusFaults(unseen)).join("\n"), /does not show its focus/);
  const covered = await showing(
    `${ring}<button>One</button><div style="position:fixed;inset:0;background:#fff"></div>`,
  );
  assert.match((await focusFaults(covered)).join("\n"), /has the focus under <div>/);
  const back = await showing(`${ring}<button>One</button><button tabindex="1">Two</button>`);
  assert.match((await focusFaults(back)).join("\n"), /Tab goes back|leads to/);
  for (const page of [good, unseen, covered, back]) await page.close();
});

test("motion and a choice without a mark are found", async () => {
  const page = await showing(`
    <style>button { transition: color 1s; background: none; border: 1px solid } [aria-pressed="true"] { background: #cfc }</style>
    <div><button aria-pressed="true">On</button><button aria-pressed="false">Off</button></div>`);
  assert.match((await motionFaults(page)).join("\n"), /moves/);
  await page.emulateMedia({ forcedColors: "active" });
  assert.match((await forcedColourFaults(page)).join("\n"), /is chosen and does not look it/);
  await page.close();
});
