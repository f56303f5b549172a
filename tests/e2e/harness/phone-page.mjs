// The phone's page in a browser of its own, used the way a person uses it: by what is written on it.

import { complaints, PHONE } from "./browser.mjs";
import { countTaps, dialogsOn, tapsOn } from "./taps.mjs";

/**
 * @typedef {"work" | "check-in" | "weigh-in" | "waiting" | "checks" | "messages" | "new-message" | "more"} Screen
 * @typedef {import("playwright-core").BrowserContextOptions & { at?: Date, sun?: boolean }} PhoneOptions
 *   `at`: what time it is for the page; `sun`: it is in sun mode
 */

/** One phone: its storage is nobody else's. */
export class PhonePage {
  /** Every screen of a phone that has joined, by its address. */
  static SCREENS = /** @type {readonly Screen[]} */ ([
    "work",
    "check-in",
    "weigh-in",
    "waiting",
    "checks",
    "messages",
    "more",
  ]);

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
   * @param {PhoneOptions} [more]
   */
  static async open(browser, url, theme = "light", more = {}) {
    const phone = await PhonePage.opening(browser, url, theme, more);
    await phone.page.getByLabel("Your name").waitFor();
    return phone;
  }

  /**
   * Types an address into the browser of a phone that has not joined.
   * @param {import("playwright-core").Browser} browser
   * @param {string} url
   * @param {"light" | "dark"} [theme]
   * @param {PhoneOptions} [more]
   */
  static async opening(browser, url, theme = "light", { at, sun = false, ...more } = {}) {
    const context = await browser.newContext({
      ...PHONE,
      colorScheme: theme,
      ...more,
    });
    await countTaps(context);
    if (at) await context.clock.setFixedTime(at);
    if (sun) await context.addInitScript(() => localStorage.setItem("sun", "on"));
    const phone = new PhonePage(await context.newPage());
    await phone.page.goto(url);
    return phone;
  }

  /**
   * Types the short code that the desk shows, on our own keys.
   * @param {string} code
   */
  async typeCode(code) {
    await this.page.getByRole("button", { name: "Type the code instead" }).click();
    const keys = this.page.getByRole("region", { name: "Letters and digits" });
    for (const sign of code.replace("-", "")) await keys.getByRole("button", { name: sign, exact: true }).click();
    await this.page.getByRole("button", { name: "Go on" }).click();
    await this.page.getByLabel("Your name").waitFor();
  }

  /** The same phone in a second tab. */
  async secondTab() {
    const tab = new PhonePage(await this.page.context().newPage());
    await tab.page.goto(this.page.url());
    return tab;
  }

  /**
   * Types a name and asks to join. Answers the number that the desk compares.
   * @param {string} name
   */
  async ask(name) {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Join the show" }).click();
    return this.number();
  }

  /** The number that the desk compares, when the page shows it. */
  async number() {
    await this.page.getByText("Show this number to the desk").waitFor();
    const digits = /\b\d{4}\b/.exec(await this.page.locator("main").innerText());
    if (!digits) throw new Error("the phone shows no number of four digits");
    return digits[0];
  }

  /** Waits until the desk has let the phone in and the show is on it. */
  async joined() {
    await this.says("All sent");
  }

  /** The chip in the header. */
  get chip() {
    return this.page.getByRole("button", { name: /^Entries: / });
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
   * @param {Screen} screen
   */
  async show(screen) {
    await this.page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${screen}`);
    await this.page.locator(".app, main").first().waitFor();
  }

  /** Cuts this phone's Wi-Fi. */
  async cut() {
    await this.page.context().setOffline(true);
  }

  /** Brings this phone's Wi-Fi back. */
  async uncut() {
    await this.page.context().setOffline(false);
  }

  /** What was tapped since the page was loaded. */
  taps() {
    return tapsOn(this.page);
  }

  /** Dialogs that opened since the page was loaded. */
  dialogs() {
    return dialogsOn(this.page);
  }

  /** Our own keys for digits. */
  get pad() {
    return this.page.getByRole("region", { name: "Number pad" });
  }

  /**
   * Taps digits on our own pad.
   * @param {string | number} digits
   */
  async tapDigits(digits) {
    for (const digit of String(digits)) await this.pad.getByRole("button", { name: digit, exact: true }).click();
  }

  /**
   * Types the number of an animal and takes it.
   * @param {string} number
   * @param {string} [tag] the tag it has, where it was found by another number
   */
  async find(number, tag = number) {
    await this.page.getByLabel("Find by any number").fill(number);
    await this.take(tag);
  }

  /**
   * Takes what was found: by Find where only one animal can be meant, else by its row.
   * @param {string} tag
   */
  async take(tag) {
    const sure = this.page.getByRole("button", { name: "Find", exact: true });
    const row = this.page.getByRole("listitem").getByRole("button", { name: new RegExp(`^${tag}\\b`) });
    await row.waitFor();
    await ((await sure.isEnabled()) ? sure : row).click();
    await this.animal(tag).waitFor();
  }

  /**
   * The heading of an animal that was found.
   * @param {string} tag
   */
  animal(tag) {
    return this.page.getByRole("heading", { name: `Tag ${tag}` });
  }

  /**
   * Checks an animal in.
   * @param {string} tag
   */
  async checkIn(tag) {
    await this.show("check-in");
    await this.find(tag);
    await this.checkInHere(tag);
  }

  /**
   * Checks in the animal that is shown.
   * @param {string} tag
   */
  async checkInHere(tag) {
    await this.page.getByRole("button", { name: `Check in ${tag}` }).click();
    await this.page.getByText(`${tag} checked in`).first().waitFor();
  }

  /**
   * Corrects the tag of an animal.
   * @param {string} from
   * @param {string} to
   */
  async fixTag(from, to) {
    await this.show("check-in");
    await this.find(from);
    await this.page.getByRole("button", { name: "Fix tag" }).click();
    await this.page.getByLabel("New tag").fill(to);
    await this.page.getByRole("button", { name: "Save tag" }).click();
    await this.seen(`Tag ${from} is now ${to}`).waitFor();
  }

  /**
   * Weighs an animal on our own number pad, and says yes if the weight is asked about.
   * @param {string} tag
   * @param {number} weight whole units
   */
  async weigh(tag, weight) {
    await this.show("weigh-in");
    await this.find(tag);
    await this.tapDigits(weight);
    await this.page.getByRole("button", { name: "Save & next" }).click();
    const saved = this.seen(`${weight} lb saved`);
    const yes = this.page.getByRole("button", { name: /^Yes, save/ });
    await saved.or(yes).first().waitFor();
    if (await yes.isVisible()) await yes.click();
    await saved.waitFor();
  }

  /**
   * Words that can be seen, not only heard.
   * @param {string | RegExp} words
   */
  seen(words) {
    return this.page.getByText(words).filter({ visible: true }).last();
  }

  /** Closes the page and forgets the phone. */
  async close() {
    await this.page.context().close();
  }
}
