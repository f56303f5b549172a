// Messages, from the desk to phones: who was away gets what still counts, an emergency stays until it is answered, and
// the desk knows who has read what.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Inbox, LIGHTNING, reached, send, to } from "./harness/messages.mjs";
import { stand } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const here = stand({ demo: "small" });

const CLOSES = {
  type: "weigh_closing",
  title: "Steer weigh-in closes at 11:30",
  body: "117 head are not weighed yet.",
  priority: "high",
};
/** So long a message counts that must be over when the phone comes back. */
const SHORT_MS = 5_000;

/**
 * Waits until the desk's clock has passed this moment.
 * @param {number} ms
 */
const isPast = (ms) => until("its time is over", () => Date.now() > ms);

test("an important message reaches two at once, and the third when it returns, without what is over", async () => {
  const phones = [];
  for (const name of ["Ada One", "Ben Two", "Cy Three"]) phones.push(await here.phone(name, ["scale"]));
  const [one, two, three] = phones;
  assert.ok(one && two && three);
  await three.cut();
  const until_ = Date.now() + SHORT_MS;
  const over = {
    ...to("scale"),
    title: "Class 12 to make-ready",
    expires_at: new Date(until_).toISOString(),
  };
  await send(here.desk, over);
  const { id, reach } = await send(here.desk, { ...CLOSES, ...to("scale") });
  assert.equal(reach.people, 3);

  for (const phone of [one, two]) {
    await phone.page.getByRole("link", { name: `Important: ${CLOSES.title}` }).waitFor();
    const inbox = new Inbox(phone);
    await inbox.open();
    await phone.page.getByRole("button", { name: "Confirm" }).click();
    await phone.page.getByText("You confirmed", { exact: true }).waitFor();
  }
  await reached(here.desk, id, "confirmed", 2);
  await isPast(until_);
  await three.uncut();
  await three.page.getByRole("link", { name: `Important: ${CLOSES.title}` }).waitFor();
  const inbox = new Inbox(three);
  await inbox.open();
  await three.page.getByText("1 missed").click();
  await three.page.getByText(/Over since/).waitFor();
  assert.equal(await inbox.badge(), "1");
  await three.page.getByRole("button", { name: "Confirm" }).click();
  await reached(here.desk, id, "confirmed", 3);
  assert.equal(await inbox.badge(), "");
  for (const phone of phones) {
    assert.deepEqual(phone.heard, []);
    await phone.close();
  }
});

test("an emergency shakes the phone until it is answered, and what was typed stays", async () => {
  const phone = await here.phone("Maria Ruiz", ["checkin"]);
  const inbox = new Inbox(phone);
  await inbox.countShakes();
  await phone.joined();
  await phone.show("check-in");
  await phone.tapDigits("04");
  const { id } = await send(here.desk, { ...LIGHTNING, ...to("checkin") });
  await inbox.alarm(LIGHTNING.title).waitFor();
  assert.equal(await inbox.isCovered(), true, "nothing else can be reached");
  await until("it shakes again", async () => (await inbox.shakes()) >= 2);
  await phone.page.keyboard.press("Escape");
  await phone.page.keyboard.press("Escape");
  await inbox.alarm(LIGHTNING.title).waitFor();
  assert.equal(await inbox.isCovered(), true, "it does not go by itself");
  await reached(here.desk, id, "seen", 1);
  await inbox.answerAlarm();
  await reached(here.desk, id, "confirmed", 1);
  assert.equal(await phone.page.getByLabel("Find by any number").inputValue(), "04");
  assert.deepEqual(phone.heard, []);
  await phone.close();
});

test("loaded again in the middle it shows the emergency again, and the answer outlives a desk that is killed", async () => {
  const phone = await here.phone("Noel Park", ["vet"]);
  const inbox = new Inbox(phone);
  const { id } = await send(here.desk, { ...LIGHTNING, ...to("vet") });
  await inbox.alarm(LIGHTNING.title).waitFor();
  await phone.page.reload();
  await inbox.alarm(LIGHTNING.title).waitFor();
  await here.desk.kill();
  await inbox.answerAlarm();
  await inbox.open();
  await phone.page.getByText("You confirmed. Not sent yet").waitFor();
  await here.desk.start();
  await phone.page.reload();
  await phone.joined();
  await reached(here.desk, id, "confirmed", 1);
  await inbox.open();
  await phone.page.getByText("You confirmed", { exact: true }).waitFor();
  await phone.close();
});

test("two tabs show one emergency, and an answer in one is enough", async () => {
  const phone = await here.phone("Wes Tanaka", ["gate"]);
  const tab = await phone.secondTab();
  await tab.page.getByRole("button", { name: /^Entries: / }).waitFor();
  const inboxes = [new Inbox(phone), new Inbox(tab)];
  const { id } = await send(here.desk, { ...LIGHTNING, ...to("gate") });
  for (const inbox of inboxes) await inbox.alarm(LIGHTNING.title).waitFor();
  await new Inbox(tab).answerAlarm();
  await phone.page.getByRole("alertdialog").waitFor({ state: "detached" });
  await reached(here.desk, id, "confirmed", 1);
  const { deliveries } = await here.desk.running.get(`/admin/notifications/${id}`);
  assert.equal(deliveries.length, 1);
  assert.deepEqual([...phone.heard, ...tab.heard], []);
  await phone.close();
});

test("what the desk takes back leaves the phones, and who has read it learns that", async () => {
  const phone = await here.phone("Ines Roy", ["clerk"]);
  const inbox = new Inbox(phone);
  const { id } = await send(here.desk, { ...LIGHTNING, ...to("clerk") });
  await inbox.alarm(LIGHTNING.title).waitFor();
  await reached(here.desk, id, "seen", 1);
  await here.desk.running.post(`/admin/notifications/${id}/retract`, {});
  await phone.page.getByRole("alertdialog").waitFor({ state: "detached" });
  await inbox.open();
  await phone.page.getByText(/^Taken back/).waitFor();
  assert.equal(await inbox.badge(), "");
  await phone.close();
});

test("an announcer's message waits on the phone while the laptop is away, and reaches the others then", async () => {
  const announcer = await here.phone("Nora Diaz", ["announcer"]);
  const other = await here.phone("Otto Berg", ["superintendent"]);
  await announcer.cut();
  await announcer.show("messages");
  await announcer.page.getByRole("button", { name: "New message" }).click();
  await announcer.page.getByLabel("Message", { exact: true }).fill("Ring 1 starts ten minutes late");
  await announcer.page.getByRole("button", { name: "Jobs" }).click();
  await announcer.page.getByRole("button", { name: "superintendent" }).click();
  await announcer.page.getByRole("button", { name: "Send message" }).click();
  await announcer.page.getByText("You sent").waitFor();
  await announcer.says("1 kept");
  await announcer.uncut();
  await announcer.says("All sent");
  const inbox = new Inbox(other);
  await inbox.open();
  await other.page.getByText("Ring 1 starts ten minutes late", { exact: true }).waitFor();
  await announcer.page.getByRole("button", { name: "Take back" }).click();
  await other.page.getByText(/^Taken back/).waitFor();
  assert.deepEqual([...announcer.heard, ...other.heard], []);
  await announcer.close();
  await other.close();
});
