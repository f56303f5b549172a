// Programs that a test starts, and that are gone when it ends.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Everything that still runs. */
const running = new Set();
process.on("exit", () => {
  for (const program of running) program.process.kill("SIGKILL");
});

/** A started program whose output is kept for the error message. */
export class Program {
  /** @type {string[]} */
  lines = [];
  /** @type {Set<(line: string) => void>} */
  #listeners = new Set();

  /**
   * @param {string} command
   * @param {string[]} words
   * @param {NodeJS.ProcessEnv} [environment]
   */
  constructor(command, words, environment = {}) {
    this.name = command;
    this.process = spawn(command, words, {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this);
    this.exited = new Promise((resolve) => {
      this.process.once("exit", resolve);
      this.process.once("error", (error) => {
        this.#heard(`could not be started: ${error.message}`);
        resolve(null);
      });
    }).then(() => running.delete(this));
    for (const stream of [this.process.stdout, this.process.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#heard(line));
    }
  }

  /** @param {string} line */
  #heard(line) {
    this.lines.push(line);
    for (const listener of this.#listeners) listener(line);
  }

  /**
   * The first line, already printed or still to come, of which `read` makes something.
   * @template T
   * @param {string} what
   * @param {(line: string) => T | undefined} read
   * @param {number} [deadlineMs]
   * @returns {Promise<T>}
   */
  says(what, read, deadlineMs = 30_000) {
    return new Promise((resolve, reject) => {
      const give = (/** @type {string} */ line) => {
        const found = read(line);
        if (found === undefined) return;
        settle();
        resolve(found);
      };
      const fail = (/** @type {string} */ why) => {
        settle();
        reject(new Error(`${this.name} ${why} before it said ${what}:\n${this.lines.slice(0, 40).join("\n")}`));
      };
      const timer = setTimeout(() => fail(`took over ${deadlineMs} ms`), deadlineMs);
      const settle = () => {
        clearTimeout(timer);
        this.#listeners.delete(give);
      };
      this.#listeners.add(give);
      void this.exited.then(() => fail("ended"));
      for (const line of [...this.lines]) give(line);
    });
  }

  /**
   * Sends the signal and waits until the program is gone.
   * @param {NodeJS.Signals} signal
   */
  async end(signal) {
    this.process.kill(signal);
    await this.exited;
  }
}
