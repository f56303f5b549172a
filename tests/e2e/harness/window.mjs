// The real desktop window, driven through WebKitWebDriver.

import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";

import { Program } from "./program.mjs";
import { until } from "./wait.mjs";

const ofTheUi = createRequire(new URL("../../../ui/package.json", import.meta.url));
const axeSource = readFileSync(ofTheUi.resolve("axe-core/axe.min.js"), "utf8");

/** Keys that have a name, as WebDriver writes them. */
const KEYS = /** @type {Readonly<Record<string, string>>} */ ({
  Tab: "\uE004",
  Enter: "\uE007",
  Escape: "\uE00C",
});

/** The program that xtask has built. */
function windowProgram() {
  const path = process.env["SHOWDESK_WINDOW"];
  if (!path) throw new Error("SHOWDESK_WINDOW names no program: start these tests with `cargo xtask test`");
  return path;
}

/** A loopback port that nobody uses now. */
export function freePort() {
  return new Promise((/** @type {(port: number) => void} */ resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/**
 * What a program needs to know to show itself there.
 * @param {string} display
 */
function onDisplay(display) {
  return {
    DISPLAY: display,
    GDK_BACKEND: "x11",
    // The window needs no accessibility bus, and a test machine has none.
    NO_AT_BRIDGE: "1",
  };
}

/**
 * Starts the program once more, as a second click on its icon does.
 * @param {string} display
 * @param {string[]} words the program's arguments
 */
export function startAgain(display, words) {
  return new Program(windowProgram(), words, onDisplay(display));
}

/** An open window with the page in it. */
export class DeskWindow {
  #closed = false;

  /**
   * @param {Program} driver
   * @param {string} session address of the driver's session
   * @param {number} pid the window's program
   */
  constructor(driver, session, pid) {
    this.driver = driver;
    this.session = session;
    this.pid = pid;
  }

  /**
   * Opens the window.
   * @param {string} display
   * @param {string[]} words the program's arguments
   */
  static async open(display, words) {
    const program = windowProgram();
    const port = await freePort();
    const driver = new Program("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
      TAURI_WEBVIEW_AUTOMATION: "true",
      ...onDisplay(display),
    });
    try {
      return await DeskWindow.#opened(driver, `http://127.0.0.1:${port}`, program, words);
    } catch (error) {
      // A driver that is left behind would keep the test from ending.
      await driver.end("SIGKILL");
      throw error;
    }
  }

  /**
   * @param {Program} driver
   * @param {string} base
   * @param {string} program
   * @param {string[]} words
   */
  static async #opened(driver, base, program, words) {
    const answers = () =>
      fetch(`${base}/status`)
        .then((answer) => answer.ok)
        .catch(() => false);
    await until("WebKitWebDriver answers", answers);
    const options = { binary: program, args: words };
    const created = await ask("POST", `${base}/session`, {
      capabilities: { alwaysMatch: { "webkitgtk:browserOptions": options } },
    });
    const pid = await until("the program runs", () => findProcess(words));
    return new DeskWindow(driver, `${base}/session/${created.sessionId}`, pid);
  }

  /**
   * Runs a function body in the page and answers what it returns.
   * @param {string} body
   * @param {unknown[]} [words]
   */
  run(body, words = []) {
    return ask("POST", `${this.session}/execute/sync`, {
      script: body,
      args: words,
    });
  }

  /**
   * Calls the admin API as the page does, with the token that the page was given.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async api(method, path, body) {
    const script = `
      const [method, path, body, done] = arguments;
      const headers = { Authorization: "Bearer " + window.__SHOWDESK__.token };
      if (body !== null) headers["Content-Type"] = "application/json";
      fetch("/api/v1" + path, { method, headers, body: body === null ? null : JSON.stringify(body) })
        .then(async (answer) => done({ ok: answer.ok, text: await answer.text() }))
        .catch((error) => done({ ok: false, text: String(error) }));`;
    const answer = await ask("POST", `${this.session}/execute/async`, {
      script,
      args: [method, path, body ?? null],
    });
    if (!answer.ok) throw new Error(`${method} ${path} in the window: ${answer.text}`);
    return answer.text === "" ? null : JSON.parse(answer.text);
  }

  /** What a person reads in the page. */
  text() {
    return /** @type {Promise<string>} */ (this.run("return document.body.innerText"));
  }

  /**
   * What axe-core finds wrong on the page, one line each.
   * @param {"light" | "dark"} theme
   * @returns {Promise<string[]>}
   */
  async barriers(theme) {
    const script = `
      const done = arguments[1];
      document.documentElement.style.colorScheme = arguments[0];
      ${axeSource};
      axe.run(document, { resultTypes: ["violations"] })
        .then(({ violations }) => done(violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html))))
        .catch((error) => done([String(error)]));`;
    return ask("POST", `${this.session}/execute/async`, {
      script,
      args: [theme],
    });
  }

  /**
   * Presses the button with this name.
   * @param {string} name what it says, or its label
   */
  async press(name) {
    const script = `
      const named = (button) => (button.ariaLabel ?? button.innerText).trim() === arguments[0];
      const button = [...document.querySelectorAll("button")].find(named);
      button?.click();
      return button !== undefined;`;
    await until(`there is a button ${name}`, () => this.run(script, [name]));
  }

  /**
   * Types into the field with this label.
   * @param {string} label
   * @param {string} text
   */
  async type(label, text) {
    const script = `
      const field = [...document.querySelectorAll("input")].find((input) => input.labels?.[0]?.innerText.startsWith(arguments[0]));
      if (field === undefined) return false;
      field.value = arguments[1];
      field.dispatchEvent(new Event("input", { bubbles: true }));
      return true;`;
    await until(`there is a field ${label}`, () => this.run(script, [label, text]));
  }

  /**
   * Presses keys, one after the other, wherever the focus is: letters, or names as in `Enter`.
   * @param {string[]} keys
   */
  keys(...keys) {
    const values = keys.map((key) => KEYS[key] ?? key);
    const actions = values.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    return ask("POST", `${this.session}/actions`, {
      actions: [{ type: "key", id: "keyboard", actions }],
    });
  }

  /**
   * Presses keys that close the window which hears them.
   * @param {string[]} keys
   */
  async lastKeys(...keys) {
    try {
      await this.keys(...keys);
    } catch (error) {
      // The window went before the driver could answer for it.
      if (!String(error).includes("no such window")) throw error;
    }
  }

  /**
   * Speaks to another window of the program until `use` has ended.
   * @param {string} page what its address ends with
   * @param {() => Promise<unknown>} use
   */
  async inWindow(page, use) {
    const own = await this.enter(page);
    try {
      await use();
    } finally {
      await ask("POST", `${this.session}/window`, { handle: own });
      // A key that closed its window was never let go, and cannot be pressed again.
      await ask("DELETE", `${this.session}/actions`);
    }
  }

  /**
   * Speaks to another window of the program from now on; answers which one it was before.
   * @param {string} page what its address ends with
   * @returns {Promise<string>}
   */
  async enter(page) {
    const before = await ask("GET", `${this.session}/window`);
    await until(`there is a window with ${page}`, async () => {
      for (const handle of await ask("GET", `${this.session}/window/handles`)) {
        await ask("POST", `${this.session}/window`, { handle });
        if ((await this.url()).endsWith(page)) return true;
      }
      return false;
    });
    return before;
  }

  /** Where the page is. */
  url() {
    return /** @type {Promise<string>} */ (ask("GET", `${this.session}/url`));
  }

  /**
   * Asks the program to end, as the system does when its user leaves, and waits until it has. The driver's own way to
   * close a window kills the program.
   */
  async close() {
    if (this.#closed) return;
    process.kill(this.pid, "SIGTERM");
    await this.ended();
  }

  /**
   * Does what ends the program, and waits until it has.
   * @param {() => Promise<unknown>} act
   */
  async endBy(act) {
    // The program may be gone before the driver can say that it did what it was told.
    const failure = await act().then(
      () => null,
      (error) => error,
    );
    await this.ended().catch((late) => {
      throw failure ?? late;
    });
  }

  /** Waits until the program has ended by itself. */
  async ended() {
    this.#closed = true;
    await until("the program has ended", () => !isAlive(this.pid));
    await this.driver.end("SIGTERM");
  }
}

/**
 * The process that was started with these words. The driver starts it and does not say its number.
 * @param {string[]} words
 */
function findProcess(words) {
  const wanted = `\0${words.join("\0")}\0`;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => readProcess(pid, "cmdline").endsWith(wanted));
  return found === undefined ? null : Number(found);
}

/**
 * A process that has ended stays as a zombie until its parent looks, and its last threads may outlive it by a moment.
 * @param {number} pid
 */
function isAlive(pid) {
  const stat = readProcess(String(pid), "stat");
  const [state, threads] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .filter((_, field) => field === 0 || field === 17);
  return stat !== "" && !(state === "Z" && threads === "1");
}

/**
 * @param {string} pid
 * @param {string} file
 */
function readProcess(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
async function ask(method, url, body) {
  const answer = await fetch(url, {
    method,
    body: body === undefined ? null : JSON.stringify(body),
  });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${url}: ${value.error}: ${value.message}`);
  return value;
}
