// The real window: what only the shell can do, on a desktop of its own.
//
// Runs under `dbus-run-session`, with Xvfb as the screen. There is no window manager and, at first, no tray and nothing
// that shows messages.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Desk } from "./harness/desk.mjs";
import { openDisplay } from "./harness/display.mjs";
import { openNotifications } from "./harness/notifications.mjs";
import { insert } from "./harness/ops.mjs";
import { ScriptedPhone } from "./harness/scripted-phone.mjs";
import { openTray } from "./harness/tray.mjs";
import { until } from "./harness/wait.mjs";
import { DeskWindow, freePort, startAgain } from "./harness/window.mjs";
import { Screen } from "./harness/x11.mjs";

const folder = mkdtempSync(join(tmpdir(), "showdesk-window-"));
const show = join(folder, "show");
// What the shell remembers of its window shall not be that of who runs the test.
process.env["XDG_CONFIG_HOME"] = join(folder, "config");
process.env["XDG_CACHE_HOME"] = join(folder, "cache");

/** @type {Awaited<ReturnType<typeof openDisplay>>} */
let display;
/** @type {Screen} */
let screen;
/** @type {Awaited<ReturnType<typeof openNotifications>>} */
let notifications;
/** @type {Awaited<ReturnType<typeof openTray>> | undefined} */
let tray;
/** @type {DeskWindow} */
let desk;
/** @type {string[]} */
let words;
/** @type {string} */
let phones;
/** @type {ScriptedPhone} */
let maria;
/** @type {ScriptedPhone} */
let sam;
/** The clash that the tests are about. */
let clash = "";

const EMERGENCY = {
  type: "weather",
  title: "Lightning. Keep all animals in the barns.",
  priority: "urgent",
  audience: {},
};

before(async () => {
  display = await openDisplay();
  screen = await Screen.open(display.display);
  const http = `127.0.0.1:${await freePort()}`;
  phones = `http://${http}`;
  words = ["--data-dir", show, "--demo", "county", "--http", http];
  desk = await DeskWindow.open(display.display, words);
});

after(async () => {
  // What a failed start did not open need not be closed.
  await desk?.close();
  await tray?.close();
  await notifications?.close();
  screen?.end();
  await display?.close();
  // WebKit's own processes may still write to their cache.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

/**
 * The desk's window on the screen, once it is there.
 * @returns {Promise<import("./harness/x11.mjs").ScreenWindow>}
 */
const onScreen = () =>
  until("the window is on the screen", async () => (await screen.windows()).find(({ title }) => title === "Showdesk"));

/** @param {RegExp} text */
const says = (text) => until(`the window says ${text}`, async () => text.test(await desk.text()));

/**
 * A phone without a screen that has joined.
 * @param {string} name
 * @param {string} job
 */
async function joined(name, job) {
  const { code } = await desk.api("POST", "/admin/pairings", {
    functions: [job],
    mode: "open",
  });
  return ScriptedPhone.join(phones, code, name, async () => {
    const waiting = await desk.api("GET", "/admin/pairings?status=waiting");
    for (const asks of waiting.items) await desk.api("POST", `/admin/pairings/${asks.pairing_id}/approve`, {});
  });
}

/**
 * Clicks on a message of the desktop until the page is there.
 * @param {string} address
 * @param {number} [number] the newest if it is not said
 */
const clickLeadsTo = (address, number = notifications.all().length) =>
  until(`the click leads to ${address}`, async () => {
    await notifications.click(number);
    return (await desk.url()).endsWith(address);
  });

/** @param {string} status */
const clashIs = (status) =>
  until(`the clash is ${status}`, async () => (await desk.api("GET", `/admin/conflicts/${clash}`)).status === status);

test("the county show's counts stand in the window", async () => {
  await says(/Checked in/);
  const counts = await desk.api("GET", "/admin/overview");
  for (const count of [counts.checked_in, counts.weighed]) {
    assert.ok(count > 100 && count < 520, `about half of the animals are weighed, not ${count}`);
    await says(new RegExp(`${count}\\s*/\\s*520`));
  }
});

test("the window stays on its page", async () => {
  const home = await desk.url();
  await desk.run("location.href = 'http://127.0.0.1:9/elsewhere'");
  await desk.run("window.open('http://127.0.0.1:9/elsewhere')");
  assert.equal(new URL(await desk.url()).origin, new URL(home).origin);
  assert.doesNotMatch(home, /token/, "the token is never in the address");
});

test("a second start brings the window to the front and ends, beside a show of another folder", async () => {
  const otherHttp = `127.0.0.1:${await freePort()}`;
  const own = await onScreen();
  const other = await DeskWindow.open(display.display, ["--data-dir", join(folder, "other"), "--http", otherHttp]);
  const front = async () => (await screen.windows()).at(-1);
  await until("the other show's window lies before ours", async () => {
    const found = await front();
    return found !== undefined && found.id !== own.id;
  });

  const second = startAgain(display.display, words);
  await second.exited;
  assert.equal(second.process.exitCode, 0, second.lines.join("\n"));
  await until("our window lies before the other", async () => (await front())?.id === own.id);
  await other.close();
});

test("a show that another program has open is refused with advice", async () => {
  const taken = await Desk.open({ demo: "small" });
  const http = `127.0.0.1:${await freePort()}`;
  const refused = await DeskWindow.open(display.display, ["--data-dir", taken.folder, "--http", http]);
  const text = await until("the window says something", () => refused.text());
  const barriers = [...(await refused.barriers("light")), ...(await refused.barriers("dark"))];
  await refused.close();
  await taken.close();
  assert.deepEqual(barriers, []);
  assert.match(text, /could not open the show/);
  assert.match(text, /Is this show open in another Showdesk\?/);
});

test("where nothing on the desktop shows messages, an emergency stands in the window and leads to the messages", async () => {
  const grace = await joined("Grace", "announcer");
  await grace.apply([insert("announcements", EMERGENCY)]);
  await says(/Lightning\. Keep all animals in the barns\./);
  await desk.press("Look at it");
  await until("the button leads there", async () => (await desk.url()).endsWith("#/messages"));

  notifications = await openNotifications();
  const shown = notifications.shown();
  await grace.apply([
    insert("announcements", {
      ...EMERGENCY,
      title: "Fire in barn C. Leave by the north gate.",
    }),
  ]);
  const line = await shown;
  assert.match(line, /"Fire in barn C\. Leave by the north gate\." "From Grace\."/);
  assert.match(line, /"urgency": 2\b/, "it stays until somebody has seen it");
  await desk.run("location.hash = '#/'");
  await clickLeadsTo("#/messages");
  await desk.run("location.hash = '#/'");
  // The other tests count phones.
  const { items } = await desk.api("GET", "/admin/devices");
  const own = items.find((/** @type {any} */ device) => device.user.name === "Grace");
  await desk.api("POST", `/admin/devices/${own.id}/revoke`, {});
});

test("the desktop is told when a clash arrives, once for one clash, and a click on it opens the clash", async () => {
  maria = await joined("Maria", "superintendent");
  sam = await joined("Sam", "superintendent");
  const [animal] = await maria.rows("animals");
  assert.ok(animal);

  const before = notifications.all().length;
  assert.equal((await maria.update("animals", animal, { tag: "9001" })).verdict, "applied");
  assert.equal((await sam.update("animals", animal, { tag: "9002" })).verdict, "conflict");
  clash = (await desk.api("GET", "/admin/conflicts?status=open")).items[0].id;

  const line = await until("the desktop is told", () => notifications.all()[before]);
  assert.match(line, /Notify "Showdesk" .*"1 entry needs checking"/);
  await says(/1 entry needs checking/);
  assert.equal(notifications.all().length, before + 1);
  await clickLeadsTo(`#/needs-checking/${clash}`);
  await says(/9001[^]*9002|9002[^]*9001/);
});

test("a clash is decided, taken back and decided again by keyboard alone", async () => {
  const pressed = () =>
    desk.run(`return [...document.querySelectorAll("main [aria-pressed=true]")].map((one) => one.innerText).join("|")`);
  const tag = async () =>
    (await sam.rows("animals")).filter(({ data }) => /^900[12]$/.test(data["tag"]))[0]?.data["tag"];

  await desk.keys("2");
  await until("the laptop's is chosen", async () => /laptop/i.test(await pressed()));
  await desk.keys("Enter");
  await clashIs("resolved");
  assert.equal(await tag(), "9001");

  await desk.keys("u");
  await clashIs("open");
  await until("the clash stands in the list again", async () => {
    await desk.keys("j");
    return (await desk.url()).endsWith(clash);
  });
  await until("the phone's is chosen", async () => {
    await desk.keys("1");
    return /phone/i.test(await pressed());
  });
  await desk.keys("Enter");
  await clashIs("resolved");
  assert.equal(await tag(), "9002");
});

test("closing asks while phones hold entries, and cancel leaves the window as it was", async () => {
  maria.pending = 4;
  sam.pending = 7;
  await maria.push([]);
  await sam.push([]);

  await screen.close(await onScreen());
  await desk.inWindow("closing.html", async () => {
    await says(/2 phones still hold 11 entries\. They stay safe on the phones and are sent when Showdesk runs again\./);
    assert.match(await desk.text(), /start Showdesk again to see its window/, "this desktop has no tray");
    const focused = () => desk.run("return document.activeElement.innerText");
    await until("Enter would keep it running", async () => (await focused()) === "Keep running");
    assert.deepEqual([...(await desk.barriers("light")), ...(await desk.barriers("dark"))], []);
    await desk.lastKeys("Escape");
  });
  await until("the question is gone", async () => (await screen.windows()).length === 1);
  await onScreen();
});

test("phones that went away with unsent work are told by the desktop, a click opens the alert, and it is told when they are back", async () => {
  const { items } = await desk.api("GET", "/admin/alerts/rules");
  const { rule } = items.find((/** @type {any} */ one) => one.rule.id === "phone_away_unsent");
  const change = (/** @type {Record<string, unknown>} */ to) =>
    desk.api("PUT", "/admin/alerts/rules", { ...rule, ...to });
  const before = notifications.all().length;
  const told = (/** @type {string} */ words) =>
    until(`the desktop says ${words}`, async () => {
      await desk.api("POST", "/admin/workers/look-at-alerts/run", {});
      return notifications.all().findIndex((line, place) => place >= before && line.includes(words)) + 1;
    });
  // Phones that go one after the other are told one after the other, a minute apart.
  await until("both phones were unheard for longer than the rule allows", async () => {
    const { items: devices } = await desk.api("GET", "/admin/devices");
    const unheard = devices.filter(
      (/** @type {any} */ device) => device.unsent > 0 && Date.now() - Date.parse(device.last_seen) > 1_500,
    );
    return unheard.length === 2;
  });
  await change({ threshold: 1, recovery: 0.5 });
  const number = await told("2 phones are away with unsent work");
  await clickLeadsTo("#/health/rule/phone_away_unsent", number);
  await says(/Maria[^]*Sam|Sam[^]*Maria/);

  const [ofMaria, ofSam] = [maria.pending, sam.pending];
  [maria.pending, sam.pending] = [0, 0];
  for (const phone of [maria, sam]) await phone.push([]);
  await told("Phones with unsent work are back");
  await change({ enabled: false });
  [maria.pending, sam.pending] = [ofMaria, ofSam];
  for (const phone of [maria, sam]) await phone.push([]);
});

test("kept running without a window, a second start shows it again", async () => {
  await screen.close(await onScreen());
  await desk.inWindow("closing.html", () => desk.lastKeys("Enter"));
  await until("no window is shown", async () => (await screen.windows()).length === 0);
  const second = startAgain(display.display, words);
  await second.exited;
  assert.equal(second.process.exitCode, 0, second.lines.join("\n"));
  await onScreen();
  await says(/Overview/);
});

test("the tray tells what waits, connects a phone and brings the window back", async () => {
  tray = await openTray();
  const icon = await tray.icon();
  await until("the menu has counted", async () => (await icon.lines()).has("11 entries waiting on 2 phones"));
  assert.deepEqual(
    [...(await icon.lines()).keys()],
    ["Open Showdesk", "Connect a phone", "2 phones connected", "11 entries waiting on 2 phones", "Quit"],
  );

  await screen.close(await onScreen());
  await desk.inWindow("closing.html", async () => {
    await says(/Keep running in the tray/);
    await desk.lastKeys("Enter");
  });
  await until("no window is shown", async () => (await screen.windows()).length === 0);
  await icon.choose("Connect a phone");
  await onScreen();
  const dialog = `return document.querySelector("dialog[open], [role=dialog]")?.innerText ?? ""`;
  await until("the window shows how a phone joins", async () => /Connect a phone/.test(await desk.run(dialog)));
  await desk.keys("Escape");
});

test("the window opens again where it was and as large as it was", async () => {
  const place = { x: 90, y: 40, width: 1100, height: 720 };
  screen.configure(await onScreen(), place);
  await until("the window has its new size", async () => (await desk.run("return innerWidth")) === place.width);

  const icon = await /** @type {NonNullable<typeof tray>} */ (tray).icon();
  await icon.choose("Quit");
  await desk.enter("closing.html");
  await desk.endBy(() => desk.press("Close anyway"));
  assert.ok(
    desk.driver.lines.some((line) => line.includes("the desk has stopped")),
    "it was not cut off",
  );

  desk = await DeskWindow.open(display.display, words);
  await says(/Checked in/);
  const { x, y, width, height } = await onScreen();
  assert.deepEqual({ x, y, width, height }, place);
});

test("closing asks nothing when no phone holds an entry, and the show opens again elsewhere", async () => {
  maria.pending = 0;
  sam.pending = 0;
  await maria.push([]);
  await sam.push([]);
  await screen.close(await onScreen());
  await desk.ended();

  const server = new Desk(show);
  await server.start();
  const { items } = await server.running.get("/admin/conflicts?status=resolved");
  await server.stop();
  assert.deepEqual(
    items.map((/** @type {{ id: string }} */ item) => item.id),
    [clash],
  );
});
