// The session bus of `dbus-run-session`: calls on it, and services that python3-dbusmock plays.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { Program } from "./program.mjs";
import { until } from "./wait.mjs";

const run = promisify(execFile);

/** Debian's Python: the one that has Debian's dbusmock. */
const PYTHON = "/usr/bin/python3";
const BUS = "org.freedesktop.DBus";
const ANSWER_SECONDS = "5";

/** What dbusmock's services listen to beside their own calls. */
export const MOCK = "org.freedesktop.DBus.Mock";

/**
 * Starts a service and waits until it has its name; its lines tell every call.
 * @param {string} name
 * @param {string[]} words what dbusmock is told
 */
export async function openService(name, words) {
  if (!process.env["DBUS_SESSION_BUS_ADDRESS"]) {
    throw new Error("there is no session bus: start this test with `cargo xtask test`");
  }
  const service = new Program(PYTHON, ["-u", "-m", "dbusmock", "--session", ...words]);
  await until(`${name} is on the bus`, async () => (await namesOnBus()).includes(name));
  return service;
}

/** Who is on the bus. */
export async function namesOnBus() {
  const names = await call(BUS, "/org/freedesktop/DBus", `${BUS}.ListNames`);
  return [...names.matchAll(/'([^']+)'/g)].map(([, name]) => name ?? "");
}

/**
 * Calls a method; words and answer are GVariant text.
 * @param {string} owner
 * @param {string} path
 * @param {string} method
 * @param {string[]} words
 */
export async function call(owner, path, method, ...words) {
  const where = ["--session", "--timeout", ANSWER_SECONDS, "--dest", owner, "--object-path", path];
  // Two dashes end gdbus's own words: a number may begin with one.
  return (await run("gdbus", ["call", ...where, "--method", method, "--", ...words])).stdout;
}

/**
 * What stands at and below a path, as XML.
 * @param {string} owner
 * @param {string} path
 */
export async function introspect(owner, path) {
  return (await run("gdbus", ["introspect", "--session", "--xml", "--dest", owner, "--object-path", path])).stdout;
}
