// What opens the desk's secrets stands in a real keychain, and in no file: gnome-keyring on a session bus of its own.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Desk } from "./harness/desk.mjs";
import { until } from "./harness/wait.mjs";

/** @type {string} */
let home;
/** @type {NodeJS.ProcessEnv} */
let surroundings;
/** @type {import("node:child_process").ChildProcess[]} */
const running = [];

before(async () => {
  home = mkdtempSync(join(tmpdir(), "showdesk-keychain-"));
  const runtime = join(home, "run");
  mkdirSync(runtime, { mode: 0o700 });
  const env = {
    ...process.env,
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    XDG_DATA_HOME: join(home, "data"),
  };
  const bus = spawn("dbus-daemon", ["--session", "--nofork", "--nopidfile", "--print-address"], { env });
  running.push(bus);
  const [address] = await once(bus.stdout, "data");
  surroundings = { ...env, DBUS_SESSION_BUS_ADDRESS: String(address).trim() };
  await openKeychain();
});

after(() => {
  for (const program of running) program.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

/** Somebody signs in: the keychain is open from now on. */
async function openKeychain() {
  const keychain = spawn("gnome-keyring-daemon", ["--foreground", "--unlock", "--components=secrets"], {
    env: surroundings,
  });
  running.push(keychain);
  keychain.stdin.end("a password\n");
  await until("the keychain is open", () => {
    const asked = ["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"];
    const owner = ["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"];
    return execFileSync("dbus-send", [...asked, ...owner], {
      env: surroundings,
      encoding: "utf8",
    }).includes("true");
  });
}

/**
 * How the desk's certificate begins, and where its secrets are kept.
 * @param {Desk} desk
 */
async function told(desk) {
  const { fingerprint, secrets } = await desk.running.get("/admin/network");
  return { fingerprint, secrets };
}

test("the key is kept in the keychain, and the same desk finds it there again", async () => {
  const desk = await Desk.open({
    https: true,
    secrets: "keychain",
    environment: surroundings,
  });
  after(() => desk.close());
  const first = await told(desk);
  assert.deepEqual(first.secrets, { kept_in: "keychain", warning: null });
  assert.match(first.fingerprint, /^[0-9A-F]{4}( [0-9A-F]{4})+$/);
  assert.deepEqual(
    readdirSync(desk.folder).filter((file) => file.includes("key")),
    [],
  );
  await desk.kill();
  await desk.start();
  assert.deepEqual(await told(desk), first);
});
