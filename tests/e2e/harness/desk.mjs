// The real server, started, stopped and killed as a laptop would be, and its admin API.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { Api } from "./api.mjs";
import { FakeClock } from "./clock.mjs";
import { Program } from "./program.mjs";
import { ScriptedPhone } from "./scripted-phone.mjs";
import { until } from "./wait.mjs";

const LOOPBACK = "127.0.0.1:0";

/** The program that xtask has built. */
function serverProgram() {
  const path = process.env["SHOWDESK_SERVER"];
  if (!path) throw new Error("SHOWDESK_SERVER names no program: start these tests with `cargo xtask test`");
  return path;
}

/** One show in a temporary folder, and the server that serves it. */
export class Desk {
  http = LOOPBACK;
  admin = LOOPBACK;
  /**
   * Where phones come that trust it; none unless it was opened so.
   * @type {string | null}
   */
  https = null;
  /** @type {FakeClock | null} */
  clock = null;
  /** @type {Program | null} */
  #program = null;
  /** @type {NodeJS.ProcessEnv} */
  #environment = {};
  /** @type {string[]} */
  #words = [];

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  /**
   * Makes a show and serves it on free loopback ports.
   * @param {{
   *   demo?: "small" | "county" | "expo",
   *   at?: Date,
   *   timeZone?: string,
   *   limits?: "off",
   *   https?: boolean,
   *   secrets?: "file" | "keychain",
   *   environment?: NodeJS.ProcessEnv,
   * }} [choices]
   *   `at`: the time of day it begins with, instead of the machine's; `https`: with a certificate of its own;
   *   `secrets`: where what opens its secrets is kept
   */
  static async open({ demo, at, timeZone = "UTC", limits, https = false, secrets = "file", environment = {} } = {}) {
    const desk = new Desk(mkdtempSync(join(tmpdir(), "showdesk-e2e-")));
    desk.#words = ["--secrets", secrets];
    desk.#environment = environment;
    if (limits) desk.#words.push("--limits", limits);
    if (https) desk.https = LOOPBACK;
    if (at) {
      desk.clock = new FakeClock(mkdtempSync(join(tmpdir(), "showdesk-clock-")), at);
      desk.#environment = { ...environment, ...desk.clock.variables(timeZone) };
    }
    if (demo) {
      const env = { ...process.env, ...desk.#environment };
      execFileSync(serverProgram(), ["demo", "--size", demo, "--data-dir", desk.folder], { stdio: "pipe", env });
    }
    await desk.start();
    return desk;
  }

  /** Starts the server; after the first time, at the addresses it had. */
  async start() {
    const words = ["serve", "--data-dir", this.folder, "--http", this.http, "--admin", this.admin, ...this.#words];
    if (this.https) words.push("--https", this.https);
    this.#program = new Program(serverProgram(), words, this.#environment);
    const ready = await this.#program.says("that it is ready", (line) => {
      if (!line.startsWith("{")) return undefined;
      /** @type {{ ready?: boolean, http: string, https: string | null, admin: string }} */
      const said = JSON.parse(line);
      return said.ready ? said : undefined;
    });
    this.http = new URL(ready.http).host;
    this.admin = new URL(ready.admin).host;
    if (ready.https) this.https = new URL(ready.https).host;
    this.token = readFileSync(join(this.folder, "admin.token"), "utf8").trim();
    this.api = new Api(`http://${this.admin}`, this.token);
  }

  /** Ends the server as a power cut would. */
  async kill() {
    await this.#program?.end("SIGKILL");
    this.#program = null;
  }

  /** Ends the server as a person would. */
  async stop() {
    await this.#program?.end("SIGTERM");
    this.#program = null;
  }

  /** Ends the server and removes the show. */
  async close() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
    if (this.clock) rmSync(dirname(this.clock.file), { recursive: true, force: true });
  }

  /** The desk page, and the script that gives it the token as the window does. */
  get page() {
    return {
      url: `http://${this.admin}/`,
      script: `window.__SHOWDESK__ = Object.freeze({ token: ${JSON.stringify(this.token)} });`,
    };
  }

  /** Admin API of the running server. */
  get running() {
    if (!this.api) throw new Error("the server does not run");
    return this.api;
  }

  /** The desk's own device: it pushes and pulls as phones do. */
  get office() {
    return new ScriptedPhone(this.running);
  }

  /**
   * A phone without a screen that has joined.
   * @param {string} name
   * @param {string[]} functions
   * @param {string} [platform]
   */
  async phone(name, functions, platform) {
    const { code } = await this.openJoining(functions);
    return ScriptedPhone.join(`http://${this.http}`, code, name, () => this.allow(name), platform);
  }

  /**
   * Opens joining.
   * @param {string[]} functions
   * @returns {Promise<{ code: string, url: string }>}
   */
  openJoining(functions) {
    return this.running.post("/admin/pairings", { functions, mode: "open" });
  }

  /**
   * Allows the phone that asks to join under this name.
   * @param {string} name
   */
  async allow(name) {
    const asks = await until(`${name} asks to join`, async () => {
      const waiting = await this.running.get("/admin/pairings?status=waiting");
      return waiting.items.find((/** @type {{ device_name: string }} */ item) => item.device_name === name);
    });
    await this.running.post(`/admin/pairings/${asks.pairing_id}/approve`, {});
  }
}
