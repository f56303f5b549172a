// A thousand messages to a phone whose connections end again and again: each comes once, in order.

import assert from "node:assert/strict";
import { createHash, randomInt } from "node:crypto";
import { test } from "node:test";

import { Air } from "./harness/air.mjs";
import { Inbox, send, to } from "./harness/messages.mjs";
import { stand } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const here = stand({ demo: "small", limits: "off" });

const MESSAGES = 1_000;
/** So many are sent at most until the connections end again. */
const BURST_MAX = 80;
/** So many of the newest are in the phone's list. */
const LISTED = 300;
/** What ends a burst, in turns: its last messages are on their way then, nothing comes for a while, or all came. */
const ENDS = /** @type {const} */ (["at once", "cut", "heard"]);
/** A slow machine needs so long for all of them. */
const ALL_MS = 120_000;

/**
 * Numbers from 0 up to `below`, the same for the same seed.
 * @param {string} seed
 */
function numbersOf(seed) {
  let drawn = 0;
  return (/** @type {number} */ below) => {
    drawn += 1;
    return createHash("sha256").update(`${seed} ${drawn}`).digest().readUInt32LE() % below;
  };
}

/**
 * Keeps in which order the page stores messages that it did not have: in front of its own code.
 * @param {import("playwright-core").Page} page
 */
async function watchArrivals(page) {
  await page.addInitScript(() => {
    /** @type {Set<string>} */
    const arrived = new Set();
    const { put } = IDBObjectStore.prototype;
    /** @type {typeof put} */
    IDBObjectStore.prototype.put = function (value, key) {
      if (this.name === "notices") arrived.add(value.id);
      return put.call(this, value, key);
    };
    Object.assign(globalThis, { showdeskArrived: () => [...arrived] });
  });
  await page.reload();
}

/**
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>}
 */
function arrivalsOf(page) {
  return page.evaluate(() => /** @type {any} */ (globalThis).showdeskArrived());
}

/** How far each message has come, by its id. */
async function allSent() {
  /** @type {Map<string, any>} */
  const counts = new Map();
  for (let cursor = ""; ;) {
    const { items, cursor: next } = await here.desk.running.get(
      `/admin/notifications?state=sent&limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    for (const item of items) counts.set(item.id, item.counts);
    if (!next) return counts;
    cursor = next;
  }
}

test("a thousand messages come in order, none missing and none twice, while connections end at random", async (t) => {
  const seed = process.env["SHOWDESK_SEED"] ?? String(randomInt(1e9));
  t.diagnostic(`SHOWDESK_SEED=${seed}`);
  const below = numbersOf(seed);
  const air = await Air.open(here.desk.http);
  t.after(() => air.close());
  const { url } = await here.desk.openJoining(["gate"]);
  const phone = await here.scan(air.through(url));
  await phone.ask("Ray Gone");
  await here.desk.allow("Ray Gone");
  await phone.joined();
  await watchArrivals(phone.page);
  await phone.joined();

  /** @type {string[]} */
  const sent = [];
  for (let turn = 0; sent.length < MESSAGES; turn += 1) {
    const burst = Math.min(1 + below(BURST_MAX), MESSAGES - sent.length);
    for (let left = burst; left > 0; left -= 1) {
      const { id } = await send(here.desk, { ...to("gate"), title: `Number ${sent.length + 1}` });
      sent.push(id);
    }
    const end = ENDS[turn % ENDS.length];
    if (end === "cut") air.cut();
    else air.uncut();
    if (end === "heard") {
      const last = sent.at(-1) ?? "";
      await until("the phone hears again", async () => (await arrivalsOf(phone.page)).includes(last), ALL_MS);
    }
    air.end();
  }
  air.uncut();
  await until("all have come", async () => (await arrivalsOf(phone.page)).length >= MESSAGES, ALL_MS);
  assert.deepEqual(await arrivalsOf(phone.page), sent);

  await until(
    "the desk knows of all",
    async () => {
      const counts = await allSent();
      return sent.every((id) => counts.get(id)?.delivered === 1);
    },
    ALL_MS,
  );
  await new Inbox(phone).open();
  const titles = await phone.page.getByText(/^Number \d+$/).allInnerTexts();
  const newest = Array.from({ length: LISTED }, (_, number) => `Number ${MESSAGES - number}`);
  assert.deepEqual(titles, newest);
  await phone.close();
});
