// The real window: a show's counts stand in it, and the desktop is told when a clash arrives.
//
// Runs under `dbus-run-session`, with Xvfb as the screen.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Desk } from "./harness/desk.mjs";
import { openDisplay } from "./harness/display.mjs";
import { openNotifications } from "./harness/notifications.mjs";
import { ScriptedPhone } from "./harness/scripted-phone.mjs";
import { until } from "./harness/wait.mjs";
import { DeskWindow, freePort } from "./harness/window.mjs";

const folder = mkdtempSync(join(tmpdir(), "showdesk-window-"));
/** @type {Awaited<ReturnType<typeof openDisplay>> | undefined} */
let screen;
/** @type {Awaited<ReturnType<typeof openNotifications>>} */
let notifications;
/** @type {DeskWindow} */
let desk;
/** @type {string} */
let phones;

before(async () => {
  screen = await openDisplay();
  notifications = await openNotifications();
  const http = `127.0.0.1:${await freePort()}`;
  phones = `http://${http}`;
  desk = await DeskWindow.open(screen.display, ["--data-dir", folder, "--demo", "county", "--http", http]);
});

after(async () => {
  // What a failed start did not open need not be closed.
  await desk?.close();
  await notifications?.close();
  await screen?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("the county show's counts stand in the window", async () => {
  const text = await until("the overview is shown", async () => {
    const shown = await desk.text();
    return shown.includes("entries in the show") ? shown : null;
  });
  assert.match(text, /640 entries in the show, nothing to check/);
  const counts = await desk.api("GET", "/admin/overview");
  for (const count of [counts.checked_in, counts.weighed]) {
    assert.ok(count > 100 && count < 520, `about half of the animals are weighed, not ${count}`);
    assert.match(text.replace(/\s+/g, " "), new RegExp(`${count} ?/ ?520`));
  }
});

test("a show that is open in one window is not opened in a second", async () => {
  const http = `127.0.0.1:${await freePort()}`;
  const second = await DeskWindow.open(screen?.display ?? "", ["--data-dir", folder, "--http", http]);
  const text = await until("the second window says something", () => second.text());
  await second.close();
  assert.match(text, /could not open the show/);
  assert.match(text, /Is this show open in another Showdesk\?/);
});

test("the window stays on its page", async () => {
  const home = await desk.url();
  await desk.run("location.href = 'http://127.0.0.1:9/elsewhere'");
  await desk.run("window.open('http://127.0.0.1:9/elsewhere')");
  assert.equal(new URL(await desk.url()).origin, new URL(home).origin);
  assert.doesNotMatch(home, /token/, "the token is never in the address");
});

test("the desktop is told when a clash arrives, once for one clash", async () => {
  const { code } = await desk.api("POST", "/admin/pairings", { functions: ["superintendent"], mode: "open" });
  const allow = async () => {
    const waiting = await desk.api("GET", "/admin/pairings?status=waiting");
    for (const asks of waiting.items) await desk.api("POST", `/admin/pairings/${asks.pairing_id}/approve`, {});
  };
  const maria = await ScriptedPhone.join(phones, code, "Maria", allow);
  const sam = await ScriptedPhone.join(phones, code, "Sam", allow);
  const [animal] = await maria.rows("animals");
  assert.ok(animal);

  const shown = notifications.shown();
  assert.equal((await maria.update("animals", animal, { tag: "9001" })).verdict, "applied");
  assert.equal((await sam.update("animals", animal, { tag: "9002" })).verdict, "conflict");

  assert.match(await shown, /Notify "Showdesk" .*"1 entry needs checking"/);
  await until("the window counts the clash", async () => (await desk.text()).includes("1 entry needs checking"));
  assert.equal(notifications.all().length, 1);
});

test("asked to end, the desk finishes, and the show opens again", async () => {
  await desk.close();
  assert.ok(
    desk.driver.lines.some((line) => line.includes("the desk has stopped")),
    "it was not cut off",
  );
  const server = new Desk(folder);
  await server.start();
  const { items } = await server.running.get("/admin/conflicts?status=open");
  await server.stop();
  assert.equal(items.length, 1);
});
