// What most browser tests stand on: one browser and one desk, opened before the tests and gone after them; and what
// people do, played in each of some looks.

import { after, before, describe, test } from "node:test";

import { barriers, openBrowser } from "./browser.mjs";
import { Desk } from "./desk.mjs";
import { openDeskPage } from "./desk-page.mjs";
import { inspectDesk } from "./inspect.mjs";
import { DESK_LOOKS } from "./looks.mjs";
import { PhonePage } from "./phone-page.mjs";

/** @typedef {import("./looks.mjs").Look} Look */

/** A browser, and the desk of a show. */
export class Stand {
  /** @type {import("playwright-core").Browser | undefined} */
  #browser;
  /** @type {Desk | undefined} */
  #desk;
  /** In what the pages are looked at. */
  look = /** @type {Look} */ (DESK_LOOKS[0]);

  get browser() {
    if (!this.#browser) throw new Error("the browser is not open");
    return this.#browser;
  }

  get desk() {
    if (!this.#desk) throw new Error("the desk is not open");
    return this.#desk;
  }

  /** @param {Parameters<typeof Desk.open>[0]} choices */
  async open(choices) {
    this.#browser ??= await openBrowser();
    this.#desk = await Desk.open(choices);
  }

  /** Ends the desk and every page; the browser can be used again. */
  async clear() {
    for (const context of this.#browser?.contexts() ?? []) await context.close();
    await this.#desk?.close();
    this.#desk = undefined;
  }

  async close() {
    await this.clear();
    await this.#browser?.close();
    this.#browser = undefined;
  }

  /**
   * The desk's page.
   * @param {string} [hash]
   */
  deskPage(hash = "#/") {
    return openDeskPage(this.browser, this.desk, this.look.theme, hash, this.look.window);
  }

  /**
   * What can be measured wrong on the desk's page. That looks at it in every size and theme by itself: once is enough.
   * @param {import("playwright-core").Page} page
   */
  inspect(page) {
    return this.look === DESK_LOOKS[0] ? inspectDesk(page) : barriers(page);
  }

  /**
   * A phone in a browser of its own that has scanned this code.
   * @param {string} url
   */
  scan(url) {
    const { theme, sun = false } = this.look;
    return PhonePage.open(this.browser, url, theme, { sun });
  }

  /**
   * A phone in a browser of its own that has joined.
   * @param {string} name
   * @param {string[]} functions
   */
  async phone(name, functions) {
    const { url } = await this.desk.openJoining(functions);
    const phone = await this.scan(url);
    await phone.ask(name);
    await this.desk.allow(name);
    await phone.joined();
    return phone;
  }

  /**
   * Animals of the show that have a tag, in the order of their tags.
   * @param {(animal: any) => boolean} wanted by the fields of its row
   * @param {number} count
   * @returns {Promise<any[]>}
   */
  async animals(wanted, count) {
    const rows = await this.desk.office.rows("animals");
    const animals = rows.map(({ record_id, data }) => ({
      animal_id: record_id,
      tag: String(data["tag"]),
      ...data,
    }));
    const inOrder = animals.toSorted((one, other) => one.tag.localeCompare(other.tag, "en", { numeric: true }));
    const found = inOrder.filter(wanted).slice(0, count);
    if (found.length < count) throw new Error(`the show has ${found.length} such animals, not ${count}`);
    return found;
  }

  /**
   * The animal's row as the desk has it now.
   * @param {{ animal_id: string }} animal
   * @returns {Promise<any>}
   */
  async now(animal) {
    const { items } = await this.desk.running.get(`/admin/records/animals/${animal.animal_id}/history`);
    return items[0].snapshot;
  }
}

/**
 * Opens a stand for the tests of this file.
 * @param {Parameters<typeof Desk.open>[0]} choices
 * @param {Look} [look] in what all of it is played
 */
export function stand(choices, look) {
  const here = new Stand();
  if (look) here.look = look;
  before(() => here.open(choices));
  after(() => here.close());
  return here;
}

/**
 * What people do, named by `flow` as a test is by `test`: each is played in every look, one look after the other, each
 * look with a desk of its own.
 * @param {readonly Look[]} looks
 * @param {Parameters<typeof Desk.open>[0]} choices
 * @param {{ begins?: () => void, ends?: () => Promise<void> }} [around] `begins`: before each look; `ends`: after each flow
 */
export function flows(looks, choices, { begins, ends } = {}) {
  const here = new Stand();
  /** @type {{ name: string, play: (t: import("node:test").TestContext) => Promise<void> }[]} */
  const named = [];

  function playAll() {
    for (const look of looks) {
      describe(look.name, () => {
        before(async () => {
          here.look = look;
          begins?.();
          await here.open(choices);
        });
        after(() => (look === looks.at(-1) ? here.close() : here.clear()));
        for (const { name, play } of named) {
          test(name, async (t) => {
            try {
              await play(t);
            } finally {
              await ends?.();
            }
          });
        }
      });
    }
  }

  /**
   * @param {string} name
   * @param {(t: import("node:test").TestContext) => Promise<void>} play
   */
  function flow(name, play) {
    // The file is read to its end first, so that all flows of a look are played before the next look.
    if (named.length === 0) queueMicrotask(playAll);
    named.push({ name, play });
  }

  return { here, flow };
}
