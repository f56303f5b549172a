// A phone whose entries are disputed, refused or held back: how a person gets there, and what stands there then.

import { fillStorage, freeStorage } from "../harness/full-storage.mjs";
import { update, weighing } from "../harness/ops.mjs";
import { onPhone } from "./phone-scene.mjs";

/**
 * @typedef {import("./county.mjs").County} County
 * @typedef {import("./phone-scene.mjs").PhoneScene} PhoneScene
 * @typedef {import("../harness/phone-page.mjs").PhonePage} PhonePage
 * @typedef {import("../harness/ops.mjs").Row & { tag: string }} Animal
 */

/** What a laptop answers whose disk is full. */
const NO_ROOM = {
  status: 507,
  contentType: "application/problem+json",
  body: JSON.stringify({ code: "disk_full", title: "The laptop's disk is full", status: 507, retry: "later" }),
};
/** What a Wi-Fi answers that wants people to sign in. */
const SIGN_IN = { contentType: "text/html", body: "<!doctype html><title>Welcome</title><p>Sign in to go on" };

/**
 * Disputed entries as their author sees them. The scenes follow one another on one phone.
 * @param {County} county
 * @param {PhonePage} phone
 * @param {Animal[]} animals three that nobody else uses
 * @returns {PhoneScene[]}
 */
export function disputed(county, phone, [weighed, tagged, earlier]) {
  if (!weighed || !tagged || !earlier) throw new Error("there are too few animals");
  const { page } = phone;
  const scene = onPhone(phone);
  const of = async (/** @type {Animal} */ animal) => {
    const found = (await county.clashes()).find(({ record_id }) => record_id === animal.record_id);
    if (!found) throw new Error(`${animal.tag} has no clash`);
    return found;
  };
  const send = () => page.getByRole("button", { name: "Send to the desk" }).click();
  return [
    scene("checks-none", "no entry of this phone needs checking", undefined, async () => {
      await phone.show("checks");
      await page.getByText(/^Nothing to check\./).waitFor();
    }),
    scene("checks", "one entry is being checked, one is decided, one is done with", "my-checks", async () => {
      await phone.cut();
      await phone.weigh(weighed.tag, 251);
      await phone.fixTag(tagged.tag, "8801");
      await phone.fixTag(earlier.tag, "8802");
      await county.office.apply([
        weighing(weighed, 2_620, { weighed_at: county.now().toISOString() }),
        update("animals", tagged, { tag: "8811" }),
        update("animals", earlier, { tag: "8812" }),
      ]);
      await phone.uncut();
      await phone.says("3 need checking");
      await county.decide(await of(earlier), "client_wins", "");
      await phone.show("checks");
      await page.getByRole("button", { name: "OK" }).click();
      await page.getByRole("heading", { name: "Earlier" }).waitFor();
      await county.decide(await of(tagged), "server_wins", "Read in the ear");
      await page.getByRole("button", { name: "OK" }).waitFor();
    }),
    scene("checks-asked", "the desk asks about an entry", undefined, async () => {
      const { id } = await of(weighed);
      const text = `What did the scale show for ${weighed.tag}?`;
      await county.desk.running.post(`/admin/conflicts/${id}/ask`, { text });
      await page.getByRole("textbox", { name: "Your answer" }).fill("251. I read it twice.");
    }),
    scene("checks-answered", "the desk has the answer", undefined, async () => {
      await send();
      await page.getByText(/^You answered/).waitFor();
    }),
    scene("checks-mistake", "taking an own entry back is asked about first", undefined, async () => {
      await page.getByRole("button", { name: "Mine was a mistake" }).click();
      await page.getByRole("button", { name: "Take mine back" }).waitFor();
    }),
    scene("checks-disagree", "what the author says against a decision", undefined, async () => {
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "I disagree" }).click();
      await page.getByLabel("What is wrong?").fill("The ear says 8801");
    }),
    scene(
      "checks-disagree-away",
      "away from the laptop it is not sent, and what was typed stays",
      undefined,
      async () => {
        await phone.cut();
        await send();
        await page.getByText(/^The laptop is away/).waitFor();
      },
    ),
    scene("checks-disagreed", "the desk looks at it again", undefined, async () => {
      await phone.uncut();
      await send();
      await page.getByText("You disagreed. The desk looks at it again.").waitFor();
    }),
  ];
}

/**
 * What keeps entries from being saved or sent. The scenes follow one another on one phone.
 * @param {County} county
 * @param {PhonePage} phone
 * @param {{ coming: Animal[], hogs: Animal[] }} animals that nobody else uses
 * @returns {PhoneScene[]}
 */
export function heldBack(county, phone, { coming: [one, other, third], hogs: [hog] }) {
  if (!one || !other || !third || !hog) throw new Error("there are too few animals");
  const { page } = phone;
  const scene = onPhone(phone);
  const PUSHES = "**/sync/push";
  const EVERYTHING = "**/api/**";
  /** @type {import("playwright-core").Route[]} */
  const held = [];
  const tryNow = () => page.getByRole("button", { name: "Try now" }).click();
  return [
    scene("not-saved", "the phone's storage is full: the entry is not saved", undefined, async () => {
      await phone.show("check-in");
      await phone.find(one.tag);
      await fillStorage(page);
      await page.getByRole("button", { name: `Check in ${one.tag}` }).click();
      await page.getByText("Not saved: phone storage is full").waitFor();
    }),
    scene("waiting-refused", "an entry that the desk did not accept", undefined, async () => {
      await freeStorage(page);
      await phone.cut();
      await phone.weigh(hog.tag, 254);
      await county.stage("C", "Classes are published");
      await phone.uncut();
      await phone.show("waiting");
      await page.getByRole("heading", { name: "Not accepted by the desk" }).waitFor();
    }),
    scene("sending", "entries on their way", undefined, async () => {
      await page.getByRole("button", { name: "OK", exact: true }).click();
      await county.stage("B", "Two trailers came late: weighing is open again");
      await phone.cut();
      await phone.checkIn(other.tag);
      await phone.checkIn(third.tag);
      await page.route(PUSHES, (route) => void held.push(route));
      await phone.uncut();
      await phone.show("work");
      await phone.says("Sending 1 of 2");
    }),
    scene("waiting-sign-in", "a Wi-Fi that wants people to sign in", undefined, async () => {
      await page.route(EVERYTHING, (route) => route.fulfill(SIGN_IN));
      for (const route of held) await route.abort();
      await phone.show("waiting");
      await page
        .getByText(/^This Wi-Fi wants you to sign in/)
        .first()
        .waitFor();
    }),
    scene("waiting-no-room", "the laptop's disk is full: entries stay on the phone", undefined, async () => {
      await page.unroute(EVERYTHING);
      await page.unroute(PUSHES);
      await page.route(PUSHES, (route) => route.fulfill(NO_ROOM));
      await tryNow();
      await phone.says("Laptop is full");
    }),
  ];
}
