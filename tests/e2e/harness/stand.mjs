// What most browser tests stand on: one browser and one desk for a file, opened before its tests and gone after them.

import { after, before } from "node:test";

import { openBrowser } from "./browser.mjs";
import { Desk } from "./desk.mjs";
import { openDeskPage } from "./desk-page.mjs";
import { PhonePage } from "./phone-page.mjs";

/** A browser, and the desk of a show. */
export class Stand {
  /** @type {import("playwright-core").Browser | undefined} */
  #browser;
  /** @type {Desk | undefined} */
  #desk;

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
    this.#browser = await openBrowser();
    this.#desk = await Desk.open(choices);
  }

  async close() {
    await this.#browser?.close();
    await this.#desk?.close();
  }

  /**
   * The desk's page.
   * @param {string} [hash]
   * @param {"light" | "dark"} [theme]
   */
  deskPage(hash = "#/", theme = "light") {
    return openDeskPage(this.browser, this.desk, theme, hash);
  }

  /**
   * A phone in a browser of its own that has joined.
   * @param {string} name
   * @param {string[]} functions
   */
  async phone(name, functions) {
    const { url } = await this.desk.openJoining(functions);
    const phone = await PhonePage.open(this.browser, url);
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
 */
export function stand(choices) {
  const here = new Stand();
  before(() => here.open(choices));
  after(() => here.close());
  return here;
}
