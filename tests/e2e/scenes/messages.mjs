// What the office tells phones in the county show on Friday morning, and who has read it; and the desk's screens of it.

import { send } from "../harness/messages.mjs";
import { friday } from "./county.mjs";

/**
 * @typedef {import("./county.mjs").County} County
 * @typedef {import("./county.mjs").Phones} Phones
 * @typedef {import("./desk-scenes.mjs").DeskScene} DeskScene
 * @typedef {import("playwright-core").Page} Page
 */

/**
 * Sends a message, and some of its people say how far they have come with it.
 * @param {County} county
 * @param {Record<string, unknown>} message
 * @param {{ [state in "delivered" | "seen" | "confirmed"]?: (keyof Phones)[] }} [said]
 */
async function told(county, message, said = {}) {
  const { id } = await send(county.desk, message);
  for (const [state, keys] of Object.entries(said))
    for (const key of keys)
      await county.phones[key].api.post("/me/notifications/ack", {
        ids: [id],
        state,
      });
}

/** At 8:51: the first two of the day. @param {County} county */
export async function earlyMessages(county) {
  await told(
    county,
    {
      title: "Market lamb classes are posted.",
      body: "Check yours.",
      audience: { departments: ["sheep"] },
    },
    { seen: ["ana", "sam", "grace", "tom"] },
  );
  await told(
    county,
    {
      title: "Hog weigh-in closes at 10:00.",
      body: "Line up at the scale now.",
      audience: { functions: ["scale", "checkin", "gate"] },
    },
    { seen: ["ana", "sam"], delivered: ["maria"] },
  );
}

/** At 9:30: a storm, a call, and two that wait for their time. @param {County} county */
export async function lateMessages(county) {
  const keys = /** @type {(keyof Phones)[]} */ (Object.keys(county.phones));
  await told(
    county,
    {
      title: "Lightning near. Keep all animals in the barns.",
      body: "Wait inside until the desk says it is clear.",
      priority: "urgent",
      audience: { everybody: true },
    },
    {
      confirmed: keys.filter((key) => key !== "maria" && key !== "sam"),
      seen: ["sam"],
    },
  );
  await told(
    county,
    {
      title: "Ring clerks to the office at 11:45.",
      priority: "high",
      audience: { functions: ["clerk", "announcer", "gate"] },
    },
    { confirmed: ["tom"], seen: ["grace"], delivered: ["priya"] },
  );
  await told(county, {
    title: "Lunch break in all rings.",
    body: "The show starts again at 1:00.",
    audience: { everybody: true },
    send_at: friday("11:55").toISOString(),
  });
}

/**
 * @param {Page} page
 * @param {string} text
 * @param {RegExp} name
 */
async function addChip(page, text, name) {
  await page.getByRole("combobox", { name: "To" }).fill(text);
  await page.getByRole("option", { name }).first().click();
}

/** @param {Page} page */
async function classCall(page) {
  await addChip(page, "class 1", /^Class 1\d/);
  await addChip(page, "gate", /^Gate crew/);
  await addChip(page, "announcers", /^Announcers/);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Important, must confirm" }).click();
  await page
    .getByRole("textbox", { name: "Message" })
    .fill("{class} to make-ready, {ring}. Bring your exhibitor number and wait at the west gate.");
  await page.getByText(/^Class \d+ to make-ready, Ring \d\.$/).waitFor();
}

/** @type {DeskScene[]} */
export const MESSAGES = [
  {
    name: "messages",
    shows: "writing a message: whom it reaches, how the phone will show it, and what became of the last ones",
    beside: "messages",
    hash: "#/messages",
    open: classCall,
  },
  {
    name: "messages-to",
    shows: "whom a message can be for, with the people behind each",
    hash: "#/messages",
    open: async (page) => {
      await page.getByRole("combobox", { name: "To" }).click();
      await page.getByRole("option").nth(5).waitFor();
    },
  },
  {
    name: "messages-missing",
    shows: "what is missing is said where it is missing",
    hash: "#/messages",
    open: async (page) => {
      await page.getByRole("button", { name: "Before class" }).click();
      await page.getByRole("button", { name: "Schedule" }).click();
      await page.getByText("Say whom it is for.").waitFor();
    },
  },
  {
    name: "messages-emergency",
    shows: "one more step before an emergency to everybody",
    hash: "#/messages",
    open: async (page) => {
      await addChip(page, "everybody", /^Everybody/);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Emergency" }).click();
      await page.getByRole("textbox", { name: "Message" }).fill("Lightning. Keep all animals in the barns.");
      await page.getByText(/^Reaches \d+ phones$/).waitFor();
      await page.getByRole("button", { name: "Send now" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "messages-scheduled",
    shows: "what waits for its time",
    hash: "#/messages/scheduled",
    open: (page) => page.getByText("Lunch break in all rings.").waitFor(),
  },
  {
    name: "messages-sent",
    shows: "every message that went out, and how far it came",
    hash: "#/messages/sent",
    open: (page) => page.getByText("Hog weigh-in closes at 10:00.").waitFor(),
  },
  {
    name: "message",
    shows: "one message in full: who has it on which phone, and who has not",
    hash: "#/messages/sent",
    open: async (page) => {
      await page.getByRole("row").filter({ hasText: "Ring clerks to the office" }).click();
      await page.getByRole("region", { name: "Message" }).getByText("Confirmed").first().waitFor();
    },
  },
  {
    name: "messages-templates",
    shows: "messages that are ready to be filled in",
    hash: "#/messages/templates",
    open: (page) => page.getByRole("button", { name: "Use “Lightning”" }).waitFor(),
  },
  {
    name: "message-template",
    shows: "a template being changed",
    hash: "#/messages/templates",
    open: async (page) => {
      await page.getByRole("button", { name: "Edit “Class to make-ready”" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Take Gate crew away" }).waitFor();
    },
  },
  {
    name: "messages-automatic",
    shows: "what the desk sends by itself, and quiet hours",
    hash: "#/messages/automatic",
    open: (page) => page.getByRole("switch", { name: "Class calls" }).waitFor(),
  },
  {
    name: "settings-push",
    shows: "what reaches phones that left the Wi-Fi",
    hash: "#/settings/push",
    open: (page) => page.getByRole("button", { name: "Firebase: Set up…" }).waitFor(),
  },
  {
    name: "settings-push-set-up",
    shows: "setting a push provider up: keys go in and never come out",
    hash: "#/settings/push",
    open: async (page) => {
      await page.getByRole("button", { name: "Apple: Set up…" }).click();
      await page.getByRole("dialog", { name: "Set up Apple" }).waitFor();
    },
  },
];

/** An empty show. @type {DeskScene[]} */
export const NO_MESSAGES = [
  {
    name: "messages-empty",
    shows: "no message yet",
    hash: "#/messages/sent",
    open: (page) => page.getByText("No message has gone out yet.").waitFor(),
  },
];
