// Whatever is sent, taken back, changed or taken up in between: no text of a person is gone without a way back.

import { ApiProblem } from "@showdesk/api";
import { screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { messageCalls } from "../../data/message-calls.ts";
import type { DeskApi, MessageItem } from "../../data/desk-api.ts";
import { Desk } from "../../data/desk.svelte.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { message, template } from "../../testing/fake-messages.ts";
import { addChip, openMessages, sentNow, text, user } from "../../testing/messages-page.ts";
import { Draft, EMPTY } from "./draft.svelte.ts";
import { Sending } from "./sending.svelte.ts";
import { WayBack } from "./way-back.ts";

beforeEach(() => localStorage.clear());
afterEach(() => void vi.useRealTimers());

const press = (name: string | RegExp) => user.click(screen.getByRole("button", { name }));
const later = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

function waits(id: string, title: string, change: Partial<MessageItem> = {}): MessageItem {
  const plan = { before_class: { class_id: "k-15", minutes: 20 }, ends: { class_starts: "k-15" } } as const;
  return message({
    id,
    title,
    body: undefined,
    audience: { class_ids: ["k-15"] },
    released_at: undefined,
    ...plan,
    ...change,
  });
}

/** A desk where these wait for their time. */
function scheduled(items: readonly MessageItem[], change: Partial<DeskApi> = {}) {
  const changeMessage = vi.fn<DeskApi["changeMessage"]>((id) => Promise.resolve(sentNow({ id })));
  const sendMessage = vi.fn<DeskApi["sendMessage"]>(() => Promise.resolve(sentNow()));
  const cancelMessage = vi.fn<DeskApi["cancelMessage"]>(() => Promise.resolve());
  const parts = [{ key: "class:k-15", label: "Class 15", people: 11 }];
  const calls: Partial<DeskApi> = {
    changeMessage,
    sendMessage,
    cancelMessage,
    reach: () => Promise.resolve({ people: 11, devices: 11, away: 0, parts }),
    messages: (state) => Promise.resolve({ items: state === "scheduled" ? [...items] : [], cursor: undefined }),
    message: (id) => {
      const found = items.find((item) => item.id === id);
      return found ? Promise.resolve({ ...found, deliveries: [] }) : Promise.reject(new Error(id));
    },
    ...change,
  };
  return { calls, changeMessage, sendMessage, cancelMessage };
}

test("what is taken back is here again although another one was begun, and that one comes after it", async () => {
  const { calls, cancelMessage } = scheduled([]);
  await openMessages(calls);
  await addChip("Gate");
  await user.type(text(), "Gate to Ring 1");
  await press("Send now");
  await screen.findByText("Sent to 14 phones.");
  await user.type(text(), "Lunch at noon");
  await press(/^Undo/);
  await waitFor(() => expect(text()).toHaveValue("Gate to Ring 1"));
  expect(cancelMessage).toHaveBeenCalledWith("m-new");
  expect(screen.getByText(/The text is here again. What you began comes after it./)).toBeVisible();
  await press("Send now");
  await waitFor(() => expect(text()).toHaveValue("Lunch at noon"));
});

test("a scheduled one that was changed and sent now waits as before when it is taken back, with the changes here", async () => {
  const { calls, changeMessage, cancelMessage } = scheduled([waits("s-1", "Class 15 to make-ready")]);
  await openMessages(calls, "#/messages/scheduled");
  await user.click(await screen.findByRole("button", { name: /^Edit “Class 15/ }));
  await waitFor(() => expect(text()).toHaveValue("Class 15 to make-ready"));
  await user.type(text(), " now");
  await press("Now");
  await press("Send now");
  await screen.findByText("Sent to 14 phones.");
  await press(/^Undo/);
  await waitFor(() => expect(text()).toHaveValue("Class 15 to make-ready now"));
  expect(screen.getByText(/You are changing “Class 15/)).toBeVisible();
  expect(cancelMessage).not.toHaveBeenCalled();
  expect(changeMessage).toHaveBeenLastCalledWith("s-1", {
    type: "message",
    title: "Class 15 to make-ready",
    priority: "high",
    needs_ack: true,
    audience: { class_ids: ["k-15"] },
    before_class: { class_id: "k-15", minutes: 20 },
    ends: { class_starts: "k-15" },
  });
});

test.each(["at", "now"] as const)(
  "a message that goes out %s can be taken back for seconds, not until it goes out",
  async (when) => {
    vi.useFakeTimers();
    const at = later(3);
    const undo_until = when === "now" ? new Date(Date.now() + 8_000).toISOString() : at;
    const cancelMessage = vi.fn<DeskApi["cancelMessage"]>(() => Promise.resolve());
    const desk = new Desk(
      fakeApi([], { cancelMessage, sendMessage: () => Promise.resolve(sentNow({ send_at: at, undo_until })) }),
    );
    const back = new WayBack(desk);
    const draft = new Draft();
    const everybody = { kind: "everybody", id: "everybody", label: "Everybody" } as const;
    draft.put({ ...EMPTY, text: "Lunch", parts: [everybody], when, at: at.slice(0, 16) });
    await new Sending(desk, draft, back).send();
    expect(desk.toasts.current?.action?.label).toBe("Undo");
    vi.advanceTimersByTime(11_000);
    expect(desk.toasts.current).toBeUndefined();
    vi.advanceTimersByTime(2 * 3_600_000);
    expect(back.press()).toBe(false);
    expect(cancelMessage).not.toHaveBeenCalled();
  },
);

test("“Use again” and a second Edit give what they take the place of back", async () => {
  const items = [waits("s-1", "Class 15 to make-ready"), waits("s-2", "Class 16 to make-ready")];
  const { calls } = scheduled(items, {
    messages: (state) => Promise.resolve({ items: state === "scheduled" ? items : [message()], cursor: undefined }),
    message: () => Promise.resolve({ ...message(), deliveries: [] }),
  });
  const desk = await openMessages(calls);
  await user.type(text(), "My own words");
  desk.router.replace("#/messages/sent/m-13");
  await user.click(await screen.findByRole("button", { name: "Use again" }));
  await waitFor(() => expect(text()).toHaveValue("Class 13 final call, Ring 1\nBring your exhibitor number."));
  await press(/^Undo/);
  expect(text()).toHaveValue("My own words");
  for (const name of [/^Edit “Class 15/, /^Edit “Class 16/]) {
    desk.router.replace("#/messages/scheduled");
    await user.click(await screen.findByRole("button", { name }));
    await screen.findByText(/You are changing/);
    if (name.source.includes("15")) await user.type(text(), " now");
  }
  await waitFor(() => expect(text()).toHaveValue("Class 16 to make-ready"));
  await press(/^Undo/);
  expect(text()).toHaveValue("Class 15 to make-ready now");
  // The same one again is as it was left.
  desk.router.replace("#/messages/scheduled");
  await user.click(await screen.findByRole("button", { name: /^Edit “Class 15/ }));
  await waitFor(() => expect(text()).toHaveValue("Class 15 to make-ready now"));
  await press("Stop editing");
  expect(text()).toHaveValue("My own words");
  await press(/^Undo/);
  expect(text()).toHaveValue("Class 15 to make-ready now");
});

test("what waits while a scheduled one is changed outlives the window", async () => {
  const { calls } = scheduled([waits("s-1", "Class 15 to make-ready")]);
  const desk = await openMessages(calls);
  await user.type(text(), "Lunch at noon");
  desk.router.replace("#/messages/scheduled");
  await user.click(await screen.findByRole("button", { name: /^Edit “Class 15/ }));
  await screen.findByText(/You are changing/);
  document.body.innerHTML = "";
  await openMessages(calls);
  expect(screen.getByText(/You are changing/)).toBeVisible();
  await press("Stop editing");
  expect(text()).toHaveValue("Lunch at noon");
});

test("a scheduled emergency to everybody is asked about before it goes out now, and can be taken back", async () => {
  const storm = waits("s-9", "Lightning", {
    type: "weather",
    priority: "urgent",
    audience: { everybody: true },
    before_class: undefined,
    ends: undefined,
    send_at: later(5),
  });
  const { calls, changeMessage } = scheduled([storm]);
  await openMessages(calls, "#/messages/scheduled");
  const sendNow = () => user.click(screen.getByRole("button", { name: "Send now: Lightning" }));
  await screen.findByRole("button", { name: "Send now: Lightning" });
  await sendNow();
  const dialog = screen.getByRole("dialog", { name: "Send an emergency to everybody?" });
  expect(await within(dialog).findByText(/fills the screen of 11 phones/)).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Go back" }));
  expect(changeMessage).not.toHaveBeenCalled();
  await sendNow();
  await press("Send the emergency");
  const content = {
    type: "weather",
    title: "Lightning",
    priority: "urgent",
    needs_ack: true,
    audience: { everybody: true },
  };
  expect(changeMessage).toHaveBeenCalledWith("s-9", { ...content, undo_seconds: 8 });
  await screen.findByText("“Lightning” is on its way.");
  await press(/^Undo/);
  await screen.findByText("Taken back. It waits for its time again.");
  expect(changeMessage).toHaveBeenLastCalledWith("s-9", { ...content, send_at: storm.send_at });
});

test("a cancelled one that cannot be put back any more has its text under New", async () => {
  const more = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
  const past = new ApiProblem(400, "send_at_past", "that moment has passed", "never", more);
  const { calls } = scheduled([waits("s-1", "Lunch at noon")], { sendMessage: () => Promise.reject(past) });
  await openMessages(calls, "#/messages/scheduled");
  await user.click(await screen.findByRole("button", { name: "Cancel “Lunch at noon”" }));
  await user.click(await screen.findByRole("button", { name: "Put back" }));
  await waitFor(() => expect(text()).toHaveValue("Lunch at noon"));
  expect(screen.getByText("Not put back. That moment has passed. Its text is here under New.")).toBeVisible();
});

test("a message keeps what it is about: from a template, and put back", async () => {
  const storm = waits("s-1", "Lightning", { type: "weather" });
  const { calls, sendMessage } = scheduled([storm], {
    templates: () => Promise.resolve([template({ type: "weather" })]),
  });
  const desk = await openMessages(calls, "#/messages/scheduled");
  await user.click(await screen.findByRole("button", { name: "Cancel “Lightning”" }));
  await user.click(await screen.findByRole("button", { name: "Put back" }));
  await waitFor(() => expect(sendMessage.mock.lastCall?.[0]).toMatchObject({ type: "weather", title: "Lightning" }));
  desk.router.replace("#/messages/templates");
  await user.click(await screen.findByRole("button", { name: /^Use “/ }));
  await waitFor(() => expect(text()).not.toHaveValue(""));
  await addChip("Class 15");
  await press("Send now");
  await waitFor(() => expect(sendMessage.mock.lastCall?.[0]).toMatchObject({ type: "weather", template_id: "t-call" }));
});

test("all that waits is read, page after page, and each row is locked by itself", async () => {
  const all = Array.from({ length: 205 }, (_, i) => waits(`s-${String(i)}`, `Message ${String(i)}`));
  const { calls } = scheduled(all, {
    messages: (_, cursor = "0", limit = 100) => {
      const end = Number(cursor) + limit;
      return Promise.resolve({
        items: all.slice(Number(cursor), end),
        cursor: end < all.length ? String(end) : undefined,
      });
    },
    cancelMessage: () => new Promise(() => undefined),
  });
  await openMessages(calls, "#/messages/scheduled");
  expect(await screen.findByRole("link", { name: /^Scheduled 205/ })).toBeVisible();
  const row = (i: number) => screen.getByLabelText(`Cancel “Message ${String(i)}”`);
  await user.click(row(0));
  await user.click(row(1));
  expect([row(0), row(1), row(2)].map((button) => button.hasAttribute("disabled"))).toEqual([true, true, false]);
});

test("a provider is as the desk answers that it is set up: no second question can fail", async () => {
  const standing = { configured: true, state: "untested", tokens: { active: 0, disabled: 0 } };
  const GET = vi.fn(() => Promise.reject(new Error("asked again")));
  const PUT = () => Promise.resolve({ data: { fcm: standing, apns: standing, web: standing } });
  const providers = await messageCalls({ GET, PUT } as never).setProvider("web", { subject: "mailto:a@b.c" });
  expect(providers.web.configured).toBe(true);
  expect(GET).not.toHaveBeenCalled();
});
