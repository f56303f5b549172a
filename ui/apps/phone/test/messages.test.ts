// Messages on the phone's screens: an emergency over everything, one to confirm, what is new, what was missed.

import { emptyStore, FakeDesk } from "@showdesk/sync/testing";
import { screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";

import { speaker } from "../src/parts/speaker.ts";
import { voice } from "../src/parts/voice.svelte.ts";
import { Phone } from "../src/phone.svelte.ts";
import { lastOp, press, show, user } from "./hands.ts";
import { HEIFER, joinedPhone, smallDesk } from "./phone.ts";

const LIGHTNING = {
  type: "weather",
  title: "Lightning. Keep all animals in the barns.",
  body: "Wait inside.",
  priority: "urgent",
  needs_ack: true,
};
const CLOSES = { type: "weigh_closing", title: "Steer weigh-in closes at 11:30", priority: "high", needs_ack: true };
const CALL = { type: "class_call", title: "Class 15 is next", body: "To make-ready, Ring 1." };

const played = vi.spyOn(speaker, "play");
beforeEach(() => void played.mockReset().mockResolvedValue(true));
afterEach(() => localStorage.clear());

const alarm = () => screen.findByRole("alertdialog", { name: LIGHTNING.title });
const gone = () => waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
const acked = (desk: FakeDesk, state: string) =>
  desk.acks.filter((ack) => ack.state === state).flatMap((ack) => ack.ids);

/** Has seen it: the button takes no tap before a person can have read what it is for. */
async function answerAlarm() {
  const button = within(await screen.findByRole("alertdialog")).getByRole("button", { name: "I have seen this" });
  await waitFor(() => expect(button).toBeEnabled());
  await user.click(button);
}

/** A phone that listens to the desk's stream. */
async function listening(desk: FakeDesk, functions: readonly string[]): Promise<Phone> {
  const phone = await joinedPhone(desk, functions);
  desk.hearers.add((event) => phone.engine.inbox.hear(event.data));
  return phone;
}

test("an emergency fills the screen, and what was being typed is there afterwards", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, `#/weigh-in/${HEIFER}`);
  await press("128");
  desk.tell("storm", LIGHTNING);
  expect(await alarm()).toHaveTextContent("Your work stays open behind this.");
  expect(screen.getByRole("heading", { name: LIGHTNING.title })).toHaveFocus();
  await answerAlarm();
  await gone();
  expect(screen.getByRole("textbox", { name: "Weight in pounds" })).toHaveValue("128");
  await waitFor(() => expect(acked(desk, "confirmed")).toEqual(["storm"]));
  await waitFor(() => expect(voice.words).toBe("The desk knows that you saw it."));
});

test("a desk that was just killed is not said to know the answer, and a full phone says that it keeps none", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, "#/work");
  desk.tell("storm", LIGHTNING);
  await alarm();
  await phone.engine.inbox.settled();
  desk.isDown = true;
  expect(phone.status.link).toBe("near");
  voice.say("");
  await answerAlarm();
  await waitFor(() => expect(voice.words).toMatch(/^Kept on this phone/));
  desk.tell("fire", { ...LIGHTNING, title: "Fire in barn 2" });
  await screen.findByRole("alertdialog", { name: "Fire in barn 2" });
  await phone.engine.inbox.settled();
  const full = vi.spyOn(phone.store.notices, "where").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  onTestFinished(() => full.mockRestore());
  await answerAlarm();
  await gone();
  await waitFor(() => expect(voice.words).toMatch(/^This phone is full/));
});

test("whoever is typing does not answer an emergency with the next key", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, "#/work");
  desk.tell("storm", LIGHTNING);
  const button = within(await alarm()).getByRole("button");
  expect(button).toBeDisabled();
  await user.keyboard("{Enter} {Escape}");
  expect(await alarm()).toBeVisible();
  await waitFor(() => expect(button).toBeEnabled());
});

test("it rings until it is answered, and says when the phone cannot be heard", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ["setInterval", "clearInterval"] });
  try {
    const desk = smallDesk();
    const phone = await listening(desk, ["scale"]);
    played.mockResolvedValue(false);
    show(phone, "#/work");
    desk.tell("storm", LIGHTNING);
    expect(await alarm()).toBeVisible();
    expect(await screen.findByText("No sound yet. Tap once.")).toBeVisible();
    played.mockResolvedValue(true);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(played.mock.calls.length).toBeGreaterThanOrEqual(3);
    await waitFor(() => expect(screen.queryByText("No sound yet. Tap once.")).toBeNull());
    await answerAlarm();
    await gone();
    const rung = played.mock.calls.length;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(played.mock.calls).toHaveLength(rung);
  } finally {
    vi.useRealTimers();
  }
});

test("a phone that could not be heard at the sound test says so in an emergency", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, "#/more");
  await user.click(await screen.findByRole("button", { name: /^Test the sound/ }));
  await user.click(await screen.findByRole("button", { name: "No" }));
  expect(screen.getByText("An emergency can't be heard here")).toBeVisible();
  desk.tell("storm", LIGHTNING);
  expect(await alarm()).toHaveTextContent("This phone can't be heard. Tell people near you.");
});

test("a page that opens with an emergency waiting shows it at once, away from the laptop too", async () => {
  const desk = smallDesk();
  const first = await joinedPhone(desk, ["scale"]);
  desk.tell("storm", LIGHTNING);
  await first.engine.inbox.catchUp();
  await first.engine.rest();
  desk.isDown = true;
  const phone = new Phone({ baseUrl: "http://desk.test", store: first.store, send: desk.send });
  await phone.open();
  show(phone, "#/work");
  expect(await alarm()).toBeVisible();
  await answerAlarm();
  await gone();
  expect(await first.store.notices.get("storm")).toMatchObject({ own: "confirmed", told: "delivered" });
  await phone.engine.stop();
});

test("emergencies come in the order in which they were sent: the all-clear last", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, "#/work");
  desk.tell("clear", { ...LIGHTNING, title: "All clear", sent_at: "2023-11-14T22:11:00.000Z" });
  desk.tell("storm", { ...LIGHTNING, sent_at: "2023-11-14T22:05:00.000Z" });
  expect(await alarm()).toHaveTextContent("1 more after this");
  await answerAlarm();
  expect(await screen.findByRole("alertdialog", { name: "All clear" })).toBeVisible();
});

test("an emergency that another phone of the person has answered goes quiet, and so does one that was taken back", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, "#/work");
  for (const end of [{ state: "confirmed" }, { retracted_at: "2023-11-14T22:12:00.000Z" }]) {
    desk.tell(`storm ${Object.keys(end)[0]}`, LIGHTNING);
    await alarm();
    desk.tell(`storm ${Object.keys(end)[0]}`, end);
    await gone();
  }
});

test("what must be confirmed stands under the header, and is confirmed in the list", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, "#/work");
  desk.tell("closes", CLOSES);
  const strip = await screen.findByRole("link", { name: "Important: Steer weigh-in closes at 11:30" });
  await phone.engine.inbox.settled();
  // Its title was in sight, and nobody has read it.
  expect(acked(desk, "seen")).toEqual([]);
  expect(screen.getByRole("link", { name: /Messages/ })).toHaveTextContent("1");
  await user.click(strip);
  await user.click(await screen.findByRole("button", { name: "Confirm" }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Confirm" })).toBeNull());
  expect(await screen.findByText("You confirmed", { selector: ".state" })).toBeVisible();
  await waitFor(() => expect(acked(desk, "confirmed")).toEqual(["closes"]));
  expect(screen.getByRole("link", { name: /Messages/ })).toHaveTextContent(/^Messages$/);
});

test("an answer that the desk does not have yet is not called sent", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  desk.tell("closes", CLOSES);
  await phone.engine.inbox.settled();
  desk.isDown = true;
  await phone.engine.inbox.raise(["closes"], "confirmed");
  await phone.engine.settled();
  show(phone, "#/messages");
  expect(await screen.findByText("You confirmed. Not sent yet")).toBeVisible();
  expect(screen.getByText(/^1 answer is kept on this phone/)).toBeVisible();
  expect(await screen.findByText("Away from laptop. Newer messages come when it is near.")).toBeVisible();
  desk.isDown = false;
  phone.engine.sync();
  expect(await screen.findByText("You confirmed", { selector: ".state" })).toBeVisible();
});

test("new messages come first, stay where they are while they are read, and are seen", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  desk.tell("call", CALL);
  desk.tell("lunch", { state: "seen" });
  await phone.engine.inbox.settled();
  show(phone, "#/messages");
  expect(await screen.findByRole("heading", { name: "1 new" })).toBeVisible();
  const titles = () => screen.getAllByRole("listitem").map((item) => item.querySelector("b")?.textContent);
  expect(titles()).toEqual(["Class 15 is next", "Lunch break at 12:00"]);
  await waitFor(() => expect(acked(desk, "seen")).toContain("call"));
  expect(screen.getByRole("heading", { name: "1 new" })).toBeVisible();
  history.replaceState(null, "", "#/work");
  window.dispatchEvent(new HashChangeEvent("hashchange"));
  await screen.findByText("Your last entries");
  history.replaceState(null, "", "#/messages");
  window.dispatchEvent(new HashChangeEvent("hashchange"));
  expect(await screen.findByRole("heading", { name: "Earlier" })).toBeVisible();
  expect(screen.queryByRole("heading", { name: "1 new" })).toBeNull();
});

test("what was over before it came is told as missed, with its time, and nowhere else", async () => {
  const desk = smallDesk();
  const at = { sent_at: "2023-11-14T22:00:00.000Z", expires_at: "2023-11-14T22:12:00.000Z" };
  desk.missed = [{ id: "call", seq: 1, ...CALL, priority: "high", ...at }];
  desk.noticeSeq = 1;
  const phone = await joinedPhone(desk, ["scale"]);
  show(phone, "#/messages");
  expect(await screen.findByText("1 missed")).toBeVisible();
  expect(screen.getByText(/Missed 22:00\.\s+Over since 22:12/)).toBeInTheDocument();
  expect(screen.queryByRole("heading", { name: /new$/ })).toBeNull();
  expect(screen.getByRole("link", { name: /Messages/ })).toHaveTextContent(/^Messages$/);
});

test("a message that was read and then taken back says so; one that nobody read is gone", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  desk.tell("read", { title: "Swine show starts 8:30", state: "seen" });
  desk.tell("unread", CALL);
  const retracted_at = "2023-11-14T22:12:00.000Z";
  desk.tell("read", { retracted_at });
  desk.tell("unread", { retracted_at });
  await phone.engine.inbox.settled();
  show(phone, "#/messages");
  expect(await screen.findByText("Taken back 22:12")).toBeVisible();
  expect(screen.queryByText(CALL.title)).toBeNull();
});

test("a message leads only to screens that a phone has", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  desk.tell("check", { title: "Look at your checks", data: { open: "#/checks" } });
  desk.tell("desk", { title: "Only for the desk", data: { open: "#/needs-checking/5" } });
  desk.tell("odd", { title: "Not an address", data: { open: "javascript:alert(1)" } });
  await phone.engine.inbox.settled();
  show(phone, "#/messages");
  expect(await screen.findByRole("link", { name: /Look at your checks/ })).toHaveAttribute("href", "#/checks");
  expect(screen.getByText("Only for the desk").closest("a")).toBeNull();
  expect(screen.getByText("Not an address").closest("a")).toBeNull();
});

test("an announcer's message is an entry: kept while the laptop is away, and sent later", async () => {
  const desk = smallDesk();
  desk.put("rings", "0190a000-0000-7000-8000-00000000001a", { name: "Ring 1", seq: 1 });
  const phone = await joinedPhone(desk, ["announcer"]);
  desk.isDown = true;
  show(phone, "#/messages");
  await user.click(await screen.findByRole("button", { name: "New message" }));
  await user.click(await screen.findByRole("button", { name: "Send message" }));
  expect(await screen.findByText("Write the message first.")).toBeVisible();
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Ring 1 is late");
  await user.click(screen.getByRole("button", { name: "Important" }));
  await user.click(screen.getByRole("button", { name: "Ring" }));
  await user.click(screen.getByRole("button", { name: "Send message" }));
  expect(await screen.findByText("Choose who it is for.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Ring 1" }));
  await user.click(screen.getByRole("button", { name: "Send message" }));
  expect(await screen.findByText("You sent")).toBeVisible();
  expect(await lastOp(phone)).toMatchObject({
    table_name: "announcements",
    operation: "insert",
    state: "waiting",
    data: {
      type: "message",
      title: "Ring 1 is late",
      priority: "high",
      needs_ack: true,
      audience: { rings: ["0190a000-0000-7000-8000-00000000001a"] },
    },
  });
  await user.click(screen.getByRole("button", { name: "Take back" }));
  expect(await screen.findByText("Taken back")).toBeVisible();
  expect((await lastOp(phone))?.data).toMatchObject({ retracted_at: expect.any(String) });
});

test("a message that is not taken back says so: the desk refused it, and the way is there again", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["announcer"]);
  const id = "0190a000-0000-7000-8000-00000000002a";
  const data = { type: "message", title: "Ring 1 is late", priority: "normal", audience: {} };
  await phone.add({ table: "announcements", id, operation: "insert", data });
  await phone.engine.settled();
  desk.verdict = ({ op_id }) => ({ op_id, verdict: "rejected", error: { code: "forbidden", detail: "" } });
  show(phone, "#/messages");
  await user.click(await screen.findByRole("button", { name: "Take back" }));
  await waitFor(async () => expect(await lastOp(phone)).toMatchObject({ operation: "update", state: "rejected" }));
  expect(await screen.findByRole("button", { name: "Take back" })).toBeVisible();
  expect(screen.queryByText("Taken back")).toBeNull();
  desk.verdict = () => null;
  await user.click(screen.getByRole("button", { name: "Take back" }));
  await waitFor(() => expect(desk.rows.get(`announcements/${id}`)?.data["retracted_at"]).toBeTruthy());
  expect(await screen.findByText("Taken back")).toBeVisible();
});

test("by the desk's clock a message ends that was written on a phone whose clock is wrong", async () => {
  const desk = smallDesk();
  // The phone is years ahead of this desk.
  expect(Date.parse(desk.serverTime)).toBeLessThan(Date.now() - 3_600_000);
  const phone = await joinedPhone(desk, ["announcer"]);
  show(phone, "#/new-message");
  await user.click(await screen.findByRole("button", { name: "Ring is late" }));
  await user.click(screen.getByRole("button", { name: "1 hour" }));
  await user.click(screen.getByRole("button", { name: "Send message" }));
  expect(await screen.findByText("You sent")).toBeVisible();
  const { expires_at } = (await lastOp(phone))?.data ?? {};
  const inMs = Date.parse(String(expires_at)) - Date.parse(desk.serverTime);
  expect(Math.abs(inMs - 3_600_000)).toBeLessThan(600_000);
});

test("an emergency is asked about once more, and says when nobody will hear it", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["announcer"]);
  desk.isDown = true;
  phone.engine.sync();
  await phone.engine.settled();
  show(phone, "#/new-message");
  await user.click(await screen.findByRole("button", { name: "Lightning" }));
  await user.click(screen.getByRole("button", { name: "Send emergency" }));
  const sheet = await screen.findByRole("dialog", { name: "Send an emergency?" });
  expect(sheet).toHaveTextContent("Tell people yourself");
  expect(await lastOp(phone)).toBeNull();
  await user.click(within(sheet).getByRole("button", { name: "Send emergency" }));
  expect(await screen.findByText("You sent")).toBeVisible();
  expect((await lastOp(phone))?.data).toMatchObject({ type: "weather", priority: "urgent", audience: {} });
});

test("who may not send messages is offered none", async () => {
  const phone = await joinedPhone(smallDesk(), ["scale"]);
  show(phone, "#/messages");
  expect(await screen.findByText(/^No messages yet/)).toBeVisible();
  expect(screen.queryByRole("button", { name: "New message" })).toBeNull();
});

test("a phone that leaves the show takes no alarm with it", async () => {
  const desk = smallDesk();
  const phone = await listening(desk, ["scale"]);
  show(phone, "#/work");
  desk.tell("storm", LIGHTNING);
  await alarm();
  await phone.leave();
  await gone();
  expect(await phone.store.notices.count()).toBe(0);
});

test("a phone that has joined no show has no alarm", async () => {
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: new FakeDesk().send });
  await phone.open();
  show(phone, "#/messages");
  expect(await screen.findByText("Scan the code at the desk")).toBeVisible();
  expect(screen.queryByRole("alertdialog")).toBeNull();
});
