// What is heard and shown of a message while nobody looks at the page, and what the person has switched off.

import type { StoredNotice } from "@showdesk/sync";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { hearMessages, outsideOf } from "../src/features/messages/hear.ts";
import { speaker } from "../src/parts/speaker.ts";
import { joinedPhone, smallDesk } from "./phone.ts";

const shown: string[] = [];
vi.mock("@showdesk/platform/subscription", () => ({
  messagesLeave: () => "granted",
  askForMessages: async () => "granted",
  subscribe: () => Promise.reject(new Error("no internet")),
  unsubscribe: async () => undefined,
  hearPushed: async () => undefined,
  hideOutside: async () => undefined,
  showOutside: async ({ id }: StoredNotice) => void shown.push(id),
}));

const played = vi.spyOn(speaker, "play");
let visibility: DocumentVisibilityState = "visible";
beforeEach(() => {
  shown.length = 0;
  played.mockReset().mockResolvedValue(true);
  vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visibility);
});
afterEach(() => {
  visibility = "visible";
  localStorage.clear();
});

test("a page behind another app shows its messages outside, until the person turns that off", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["scale"]);
  desk.hearers.add((event) => phone.engine.inbox.hear(event.data));
  hearMessages(phone, () => undefined);
  const tell = async (id: string) => {
    desk.tell(id, { priority: "high", needs_ack: true });
    await expect.poll(() => phone.engine.inbox.items.some((one) => one.id === id)).toBe(true);
  };
  await tell("looked at");
  expect(shown).toEqual([]);
  expect(played).toHaveBeenCalledTimes(1);
  visibility = "hidden";
  await tell("behind");
  expect(shown).toEqual(["behind"]);
  await outsideOf(phone).turnOff();
  await tell("off");
  expect(shown).toEqual(["behind"]);
  await outsideOf(phone).allow();
  await tell("on again");
  expect(shown).toEqual(["behind", "on again"]);
});
