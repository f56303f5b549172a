// Messages through the internet, on a field-ready phone: the browser's own push service is left out, and what it would
// deliver is given to the page's worker.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { openTrustingBrowser } from "./harness/browser.mjs";
import { Desk } from "./harness/desk.mjs";
import { Inbox, LIGHTNING } from "./harness/messages.mjs";
import { PhonePage } from "./harness/phone-page.mjs";
import { until } from "./harness/wait.mjs";

/** @type {Desk} */
let desk;
/** @type {import("playwright-core").Browser} */
let trusting;

before(async () => {
  desk = await Desk.open({ demo: "small", https: true });
  const answer = await fetch(`http://${desk.http}/ca.crt`);
  trusting = await openTrustingBrowser(new Uint8Array(await answer.arrayBuffer()));
});

after(async () => {
  await trusting?.close();
  await desk?.close();
});

/**
 * A phone that has joined at the page with the certificate, and may show messages.
 * @param {string} name
 */
async function fieldReadyPhone(name) {
  const { code } = await desk.openJoining(["checkin"]);
  const url = `https://${desk.https}/#/join/${code}`;
  const phone = await PhonePage.open(trusting, url, "light", {
    permissions: ["notifications"],
  });
  await phone.ask(name);
  await desk.allow(name);
  await phone.joined();
  await phone.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  return phone;
}

/**
 * What a push service would deliver.
 * @param {PhonePage} phone
 * @param {Record<string, unknown>} message
 */
async function push({ page }, message) {
  const session = await page.context().newCDPSession(page);
  /** @type {string | undefined} */
  let registrationId;
  session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    registrationId = registrations.at(-1)?.registrationId ?? registrationId;
  });
  await session.send("ServiceWorker.enable");
  const id = await until("the worker is known", () => registrationId);
  await session.send("ServiceWorker.deliverPushMessage", {
    origin: `https://${desk.https}`,
    registrationId: id,
    data: JSON.stringify(message),
  });
  await session.detach();
}

/**
 * Waits until exactly these stand outside the page.
 * @param {PhonePage} phone
 * @param {{ id: string, title: string, body: string }[]} messages
 */
function outsideIs({ page }, messages) {
  const wanted = messages.map(({ id: tag, title, body }) => ({
    tag,
    title,
    body,
  }));
  return until(`outside stands ${JSON.stringify(wanted)}`, async () => {
    const shown = await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const all = await registration.getNotifications();
      return all.map(({ tag, title, body }) => ({ tag, title, body }));
    });
    return isDeepStrictEqual(shown, wanted);
  });
}

const STORM = {
  ...LIGHTNING,
  id: "01990000-0000-7000-8000-000000000001",
  seq: 7,
  needs_ack: true,
  data: {},
  from: "Dan at the desk",
  sent_at: "2026-08-07T14:47:00.000Z",
  expires_at: null,
  retracted_at: null,
  reminded_at: null,
};

const LUNCH = {
  ...STORM,
  id: "01990000-0000-7000-8000-000000000002",
  seq: 8,
  priority: "normal",
  needs_ack: false,
  title: "Lunch break at 12:00",
};

test("an emergency through the internet fills the page of a phone that is away from the laptop, once", async () => {
  const phone = await fieldReadyPhone("Nora Diaz");
  const inbox = new Inbox(phone);
  await desk.kill();
  await push(phone, STORM);
  await inbox.alarm(LIGHTNING.title).waitFor();
  await push(phone, STORM);
  await outsideIs(phone, [STORM]);
  await inbox.answerAlarm();
  await outsideIs(phone, []);
  await push(phone, STORM);
  await inbox.open();
  await phone.page.getByText("You confirmed. Not sent yet").waitFor();
  assert.equal(await phone.page.getByRole("listitem").count(), 1);
  // What the list shows is read and goes away outside as well, so the next one comes while another page is open. The
  // worker takes them in turn: when it stands there, what was answered before has come and gone.
  await phone.show("work");
  await push(phone, LUNCH);
  await outsideIs(phone, [LUNCH]);
  await phone.close();
  await desk.start();
});

test("what came while the page was closed is there when it is opened without the laptop", async () => {
  const phone = await fieldReadyPhone("Wes Tanaka");
  const inbox = new Inbox(phone);
  await desk.kill();
  const address = phone.page.url();
  await phone.page.goto("about:blank");
  await push(phone, LUNCH);
  await phone.page.goto(address);
  await inbox.open();
  await phone.page.getByText(LUNCH.title, { exact: true }).waitFor();
  await phone.close();
  await desk.start();
});
