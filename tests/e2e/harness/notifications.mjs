// A real notification service on the session bus of `dbus-run-session`, played by python3-dbusmock.

import { execFileSync } from "node:child_process";

import { Program } from "./program.mjs";
import { until } from "./wait.mjs";

/** Debian's Python: the one that has Debian's dbusmock. */
const PYTHON = "/usr/bin/python3";
const NAME = "org.freedesktop.Notifications";

/** Starts the service; its log tells every call. */
export async function openNotifications() {
  if (!process.env["DBUS_SESSION_BUS_ADDRESS"]) {
    throw new Error("there is no session bus: start this test with `cargo xtask test`");
  }
  const service = new Program(PYTHON, ["-u", "-m", "dbusmock", "--session", "--template", "notification_daemon"]);
  await until("the notification service is on the bus", isOwned);
  return {
    /** The next message that was shown, as the service logged it. */
    shown: () => service.says("that it was told something", (line) => (/\bNotify\b/.test(line) ? line : undefined)),
    /** All messages up to now. */
    all: () => service.lines.filter((line) => /\bNotify\b/.test(line)),
    close: () => service.end("SIGTERM"),
  };
}

function isOwned() {
  const words = ["--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"];
  const call = ["org.freedesktop.DBus.NameHasOwner", `string:${NAME}`];
  return execFileSync("dbus-send", [...words, ...call], { encoding: "utf8" }).includes("true");
}
