// The phone's page in a browser of its own, used the way a person uses it: by what is written on it.

import { complaints, PHONE } from "./browser.mjs";

/** One phone: its storage is nobody else's. */
export class PhonePage {
  /** Every screen of a phone that has joined, by its address. */
  static SCREENS = /** @type {const} */ (["work", "check-in", "weigh-in", "waiting", "checks", "more"]);

  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
    this.heard = complaints(page);
  }

  /**
   * Scans the join code.
   * @param {import("playwright-core").Browser} browser
   * @param {string} url what the QR code says
   * @param {"light" | "dark"} [theme]
   */
  static async open(browser, url, theme = "light") {
    const context = await browser.newContext({ ...PHONE, colorScheme: theme });
    const phone = new PhonePage(await context.newPage());
    await phone.page.goto(url);
    await phone.page.getByLabel("Your name").waitFor();
    return phone;
  }

  /**
   * Types a name and asks to join. Answers the number that the desk compares.
   * @param {string} name
   */
  async ask(name) {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Join", exact: true }).click();
    await this.page.getByText("Show this number to the desk").waitFor();
    const digits = /\b\d{4}\b/.exec(await this.page.locator("main").innerText());
    if (!digits) throw new Error("the phone shows no number of four digits");
    return digits[0];
  }

  /** Waits until the desk has let the phone in and the show is on it. */
  async joined() {
    await this.says("All sent");
  }

  /**
   * Waits until the chip in the header says so.
   * @param {string} words
   */
  async says(words) {
    await this.page.getByRole("button", { name: new RegExp(`^Entries: ${words}`) }).waitFor();
  }

  /**
   * Goes to a screen.
   * @param {(typeof PhonePage.SCREENS)[number]} screen
   */
  async show(screen) {
    await this.page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${screen}`);
    await this.page.locator(".app, main").first().waitFor();
  }

  /**
   * Types the number of an animal and takes it.
   * @param {string} tag
   */
  async #find(tag) {
    await this.page.getByLabel("Find by any number").fill(tag);
    await this.page.getByRole("button", { name: "Find", exact: true }).click();
    await this.page.getByRole("heading", { name: `Tag ${tag}` }).waitFor();
  }

  /**
   * Corrects the tag of an animal.
   * @param {string} from
   * @param {string} to
   */
  async fixTag(from, to) {
    await this.show("check-in");
    await this.#find(from);
    await this.page.getByRole("button", { name: "Fix tag" }).click();
    await this.page.getByLabel("New tag").fill(to);
    await this.page.getByRole("button", { name: "Save tag" }).click();
    await this.page.getByText(`Tag ${from} is now ${to}`).waitFor();
  }

  /**
   * Weighs an animal on our own number pad, and says yes if the weight is asked about.
   * @param {string} tag
   * @param {number} weight whole units
   */
  async weigh(tag, weight) {
    await this.show("weigh-in");
    await this.#find(tag);
    const pad = this.page.getByRole("region", { name: "Number pad" });
    for (const digit of String(weight)) await pad.getByRole("button", { name: digit, exact: true }).click();
    await this.page.getByRole("button", { name: "Save & next" }).click();
    const saved = this.page.getByRole("status").getByText(/saved$/);
    const yes = this.page.getByRole("button", { name: /^Yes, save/ });
    await saved.or(yes).first().waitFor();
    if (await yes.isVisible()) await yes.click();
    await saved.waitFor();
  }

  /** Closes the page and forgets the phone. */
  async close() {
    await this.page.context().close();
  }
}
