// Charts & health: an alert comes and goes with its phone, a phone's fault is one problem until it is solved and when it
// is back, a point of a chart leads to its requests, and the report of the show is a file.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { complaints } from "./harness/browser.mjs";
import { send } from "./harness/messages.mjs";
import { freshId } from "./harness/ops.mjs";
import { Stand } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

/**
 * @typedef {import("playwright-core").Page} Page
 * @typedef {import("./harness/phone-page.mjs").PhonePage} PhonePage
 */

const HOUR_MS = 3_600_000;

const here = new Stand();

before(async () => {
  await here.open({ demo: "small" });
  // What the tests are about fires alone, whatever the machine is like that they run on.
  const { items } = await here.desk.running.get("/admin/alerts/rules");
  for (const { rule } of items) {
    const isAbout = rule.id === "phone_away_unsent";
    // Unheard of for two seconds is long, for a test.
    const change = isAbout ? { threshold: 2, recovery: 1 } : { enabled: rule.id === "problem_back" };
    await here.desk.running.put("/admin/alerts/rules", { ...rule, ...change });
  }
});

after(() => here.close());

/** The desk looks at its rules by itself every few seconds; nobody need wait for that. */
const look = () => here.desk.running.post("/admin/workers/look-at-alerts/run", {});

/**
 * Waits for what the next look at the rules shows.
 * @param {string} what
 * @param {() => Promise<boolean>} isThere
 */
const comes = (what, isThere) =>
  until(what, async () => {
    await look();
    return isThere();
  });

/** @param {Page} page @param {string} name */
const bell = (page, name) => page.getByRole("banner").getByRole("button", { name, exact: true });

/**
 * The phone's page fails, and its next sync tells of it.
 * @param {PhonePage} phone
 */
async function fail({ page }) {
  await page.evaluate(() => {
    setTimeout(() => {
      throw new TypeError("the scale said nothing");
    });
  });
}

/**
 * Somebody looks at the phone again: its page syncs at once.
 * @param {PhonePage} phone
 */
const lookAt = ({ page }) => page.evaluate(() => window.dispatchEvent(new Event("focus")));

/** What the desk knows of that fault. */
async function problem() {
  const { items } = await here.desk.running.get("/admin/errors");
  return items.find((/** @type {{ title: string }} */ { title }) => title.includes("the scale said nothing"));
}

/**
 * The desk has heard of the fault so many times.
 * @param {PhonePage[]} phones
 * @param {number} count
 */
const heard = (phones, count) =>
  until(`the fault is known ×${count}`, async () => {
    for (const phone of phones) await lookAt(phone);
    return (await problem())?.count === count;
  });

test("a phone that goes away with unsent work is told at the desk in its time, and that it is back", async () => {
  const desk = await here.deskPage("#/");
  const heardFaults = complaints(desk);
  const phone = await here.phone("Maria Ruiz", ["checkin"]);
  const [animal] = await here.animals((item) => item.arrived_at === null, 1);
  // The Wi-Fi breaks in the middle of sending: by another request the laptop has heard that something waits.
  /** @type {import("playwright-core").Route | undefined} */
  let sending;
  await phone.page.route("**/sync/push", (route) => {
    sending = route;
  });
  await phone.checkIn(animal.tag);
  const push = await until("the entry is on its way", () => sending);
  await send(here.desk, { title: "Lunch break in all rings." });
  await until("the laptop knows that the phone holds an entry", async () => {
    const { items } = await here.desk.running.get("/admin/devices");
    return items.some((/** @type {{ unsent: number }} */ { unsent }) => unsent === 1);
  });
  await phone.cut();
  await push.abort("internetdisconnected");
  await comes("the bell tells of it", () => bell(desk, "1 alert").isVisible());
  await bell(desk, "1 alert").click();
  await desk.getByText("A phone is away with unsent work").first().waitFor();
  await desk
    .getByText(/Maria Ruiz/)
    .first()
    .waitFor();

  await phone.page.unroute("**/sync/push");
  await phone.uncut();
  await until("the phone has sent all", async () => {
    await lookAt(phone);
    return /^Entries: All sent/.test((await phone.chip.getAttribute("aria-label")) ?? "");
  });
  await comes("the bell is quiet again", () => bell(desk, "Alerts").isVisible());
  await desk.goto(`${here.desk.page.url}#/health`);
  await desk.getByText("Phones with unsent work are back").first().waitFor();
  const { items } = await here.desk.running.get("/admin/alerts/events");
  assert.deepEqual(
    items.map((/** @type {{ rule: string, kind: string }} */ { rule, kind }) => `${rule} ${kind}`),
    ["phone_away_unsent resolved", "phone_away_unsent firing"],
  );
  assert.deepEqual(heardFaults, []);
  await phone.close();
  await desk.context().close();
});

test("a fault of two phones is one problem; solved it is gone, and when it is back it is marked and told", async () => {
  const desk = await here.deskPage("#/health");
  const phones = [await here.phone("Sam Lee", ["checkin"]), await here.phone("Ana Torres", ["checkin"])];
  for (const phone of phones) await fail(phone);
  await heard(phones, 2);
  const row = desk.getByRole("listitem").filter({ hasText: "the scale said nothing" });
  await row.getByText("×2").waitFor();
  await row.getByText(/^2 phones, first/).waitFor();
  await row.getByRole("button", { name: /^Solved: / }).click();
  await row.waitFor({ state: "detached" });

  const [again] = phones;
  assert.ok(again);
  await again.page.reload();
  await again.says("All sent");
  await fail(again);
  await heard([again], 3);
  await row.getByText("Came back").waitFor();
  await row.getByText("×3").waitFor();
  await comes("the bell tells of it", () => bell(desk, "1 alert").isVisible());
  await row.getByRole("button", { name: /^Ignore: / }).click();
  await comes("the bell is quiet again", () => bell(desk, "Alerts").isVisible());
  for (const phone of phones) await phone.close();
  await desk.context().close();
});

test("a point of a chart leads to its requests, and the report of the show is a page that stands alone", async () => {
  const phone = await here.desk.phone("Tom Becker", ["checkin"]);
  const desk = await here.deskPage("#/health?range=1h");
  const plot = desk.getByRole("slider", { name: /^Response time/ });
  const requests = desk.getByRole("table", { name: /^Requests/ });
  await until("the last minute's point leads to what failed then", async () => {
    await assert.rejects(phone.api.post(`/me/conflicts/${freshId()}/withdraw`, {}), /404/);
    const from = Date.now() - HOUR_MS;
    const asked = `from=${new Date(from).toISOString()}&to=${new Date(Date.now() + HOUR_MS).toISOString()}`;
    await until("it is written down", async () => {
      const { items } = await here.desk.running.get(`/admin/requests?only=failed&${asked}`);
      return items.some((/** @type {any} */ { person }) => person?.name === "Tom Becker");
    });
    await desk.goto("about:blank");
    await desk.goto(`${here.desk.page.url}#/health?range=1h`);
    await plot.press("Enter");
    await desk.getByRole("heading", { name: /^Requests around/ }).waitFor();
    await desk.getByRole("button", { name: "Failed", exact: true }).click();
    await requests.or(desk.getByText("None failed.")).first().waitFor();
    const row = requests.getByRole("row").filter({ hasText: "Failed, 404" }).filter({ hasText: "Tom Becker" });
    // The minute may have been over before somebody looked at it.
    return (await row.count()) > 0;
  });

  await desk.getByRole("button", { name: "Save charts" }).click();
  const saving = desk.waitForEvent("download");
  await desk.getByRole("button", { name: "Save report" }).click();
  const file = await saving;
  assert.match(file.suggestedFilename(), /report.*\.html$/);
  const html = await readFile(await file.path(), "utf8");
  const { name } = await (await fetch(`http://${here.desk.http}/api/v1/ping`)).json();
  assert.ok(html.includes(name), "it says of which show it is");
  assert.match(html, /<svg/);
  assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//, "it needs nothing from elsewhere");
  await desk.context().close();
});
