// What is done with a message that stands in a list, and what is said about it.

import { ApiProblem } from "@showdesk/api";

import type { MessageItem } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { words } from "../../text/words.ts";
import { messagesAddress } from "./address.ts";
import { draftOf, draftOfMessage, type DraftData } from "./draft.svelte.ts";
import { heldUntil, UNDO_SECONDS, type WayBack } from "./way-back.ts";
import { asNow, asPlanned } from "./written.ts";

const text = words.messages;
/** A second press so soon after the first is the same one: a reminder rings each time. */
const SAME_PRESS_MS = 2_000;
/** Messages whose reminder is on its way, or has just gone out. */
const reminded = new Set<string>();

/** Runs it; what goes wrong is said. Answers whether it went well. */
async function during(desk: Desk, run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    const isOut = error instanceof ApiProblem && error.code === "already_sent";
    desk.toasts.show({ text: isOut ? text.tooLate : errorText(error), tone: "bad" });
    return false;
  } finally {
    // Whatever became of it, the lists show what is.
    desk.live.wake("messages");
  }
}

export async function remind(desk: Desk, id: string): Promise<boolean> {
  if (reminded.has(id)) return true;
  reminded.add(id);
  const wentWell = await during(desk, async () => {
    const people = await desk.api.remindMessage(id);
    desk.toasts.show({ text: text.reminded(people), tone: "plain" });
  });
  setTimeout(() => reminded.delete(id), SAME_PRESS_MS);
  return wentWell;
}

export function retract(desk: Desk, item: MessageItem): Promise<boolean> {
  return during(desk, async () => {
    await desk.api.retractMessage(item.id);
    desk.toasts.show({ text: text.drawer.retracting(item.title), tone: "plain" });
  });
}

/** Cancels one that waits; its text can be taken up again. */
export function cancel(desk: Desk, item: MessageItem): Promise<boolean> {
  return during(desk, async () => {
    await desk.api.cancelMessage(item.id);
    desk.toasts.show({
      text: text.cancelled(item.title),
      tone: "plain",
      action: { label: text.putBack, run: () => void putBack(desk, item) },
    });
  });
}

async function putBack(desk: Desk, item: MessageItem): Promise<void> {
  await during(desk, async () => {
    try {
      await desk.api.sendMessage(asPlanned(item));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      // Its time has passed meanwhile, or its class is gone: the text is not.
      const restore = draftOf(desk).takeUp(await asDraft(desk, item), true);
      desk.router.go(messagesAddress("new"));
      desk.toasts.show({
        text: text.notPutBack(errorText(error)),
        tone: "bad",
        ...(restore !== undefined && { action: { label: text.backToOther, run: restore } }),
      });
    }
  });
}

/** One that waits goes out now, unless it is taken back within its seconds. */
export function sendNow(desk: Desk, back: WayBack, item: MessageItem): Promise<boolean> {
  return during(desk, async () => {
    const sent = await desk.api.changeMessage(item.id, { ...asNow(item), undo_seconds: UNDO_SECONDS });
    back.offer({
      says: text.sentNow(item.title),
      until: heldUntil(sent.undo_until),
      undo: async () => {
        await desk.api.changeMessage(item.id, asPlanned(item));
        return { text: text.sentNowBack };
      },
    });
  });
}

/** Takes a scheduled one up, to change it. One that is being changed is as it was left. */
export function edit(desk: Desk, item: MessageItem): Promise<boolean> {
  const draft = draftOf(desk);
  if (draft.data.editing?.id === item.id) {
    desk.router.go(messagesAddress("new"));
    return Promise.resolve(true);
  }
  return during(desk, async () => {
    const { id, title } = item;
    begin(desk, { ...(await asDraft(desk, item)), editing: { id, title } }, { name: title, isBetween: true });
  });
}

/** Begins a new message with the text of an old one; it goes out anew. */
export function useAgain(desk: Desk, item: MessageItem): Promise<boolean> {
  return during(desk, async () => {
    const data = await asDraft(desk, item);
    const ended = data.ends === "at" ? ({ ends: "never", endsAt: "" } as const) : {};
    begin(desk, { ...data, when: "now", at: "", ...ended }, { name: item.title });
  });
}

/** Shows this as what is written. What it takes the place of, and does not wait, can be had back. */
export function begin(
  desk: Desk,
  data: DraftData,
  { name, isBetween = false }: { name: string; isBetween?: boolean },
): void {
  const restore = draftOf(desk).takeUp(data, isBetween);
  desk.router.go(messagesAddress("new"));
  if (restore === undefined) return;
  desk.toasts.show({ text: text.replaced(name), tone: "plain", action: { label: text.undo, run: restore } });
}

async function asDraft(desk: Desk, item: MessageItem): Promise<DraftData> {
  return draftOfMessage(item, await desk.api.reach(item.audience), desk.show.timezone);
}
