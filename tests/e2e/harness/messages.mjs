// Messages as the desk sends them, and as a person meets them on a phone.

import { until } from "./wait.mjs";

/** What the office sends when a storm comes. */
export const LIGHTNING = {
  type: "weather",
  title: "Lightning. Keep all animals in the barns.",
  body: "Leave the rings and the wash rack. Wait inside until the desk says it is clear.",
  priority: "urgent",
};

/** The audience of one job: such messages reach nobody of another test. */
export const to = (/** @type {string} */ job) => ({ audience: { functions: [job] } });

/**
 * Sends a message to everybody, or to whom it says.
 * @param {import("./desk.mjs").Desk} desk
 * @param {Record<string, unknown>} message
 * @returns {Promise<{ id: string, reach: { people: number, devices: number, away: number } }>}
 */
export function send(desk, message) {
  return desk.running.post("/admin/notifications", {
    audience: { everybody: true },
    ...message,
  });
}

/**
 * Waits until so many people have got so far with a message.
 * @param {import("./desk.mjs").Desk} desk
 * @param {string} id
 * @param {"waiting" | "delivered" | "seen" | "confirmed"} state
 * @param {number} people
 */
export async function reached(desk, id, state, people) {
  await until(`${people} × ${state}`, async () => {
    const { counts } = await desk.running.get(`/admin/notifications/${id}`);
    return counts[state] === people;
  });
}

/** What a person does with messages on a phone. */
export class Inbox {
  /** @param {import("./phone-page.mjs").PhonePage} phone */
  constructor(phone) {
    this.phone = phone;
    this.page = phone.page;
  }

  /** Counts how often the page wants the phone to shake: in front of the page's own, before it is loaded. */
  async countShakes() {
    await this.page.addInitScript(() => {
      const counted = /** @type {Window & { shaken?: number }} */ (window);
      counted.shaken = 0;
      Object.defineProperty(Navigator.prototype, "vibrate", {
        value: (/** @type {number[]} */ pattern) => {
          if (pattern.length > 1) counted.shaken = (counted.shaken ?? 0) + 1;
          return true;
        },
      });
    });
    await this.page.reload();
  }

  /** How often it did since the page was loaded. */
  shakes() {
    return this.page.evaluate(() => /** @type {Window & { shaken?: number }} */ (window).shaken ?? 0);
  }

  /** @param {string} title */
  alarm(title) {
    return this.page.getByRole("alertdialog", { name: title });
  }

  /** Whether an emergency lies over the whole page: in every corner and in the middle. */
  isCovered() {
    return this.page.evaluate(() => {
      const [right, bottom] = [innerWidth - 2, innerHeight - 2];
      const places = [2, right / 2, right].flatMap((x) => [2, bottom / 2, bottom].map((y) => ({ x, y })));
      return places.every(({ x, y }) => document.elementFromPoint(x, y)?.closest("[role=alertdialog]") != null);
    });
  }

  /** Says that the emergency was seen. */
  async answerAlarm() {
    await this.page.getByRole("button", { name: "I have seen this" }).click();
    await this.page.getByRole("alertdialog").waitFor({ state: "detached" });
  }

  /** Opens the list. */
  async open() {
    await this.phone.show("messages");
    await this.page.getByRole("heading", { name: "Messages" }).waitFor();
  }

  /** The number at the tab; nothing if none waits. */
  async badge() {
    const text = await this.page.getByRole("link", { name: /Messages/ }).innerText();
    return /\d+/.exec(text)?.[0] ?? "";
  }
}
