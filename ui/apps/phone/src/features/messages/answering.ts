// A person's answer to a message, and what is said of it: never more than is known.

import { voice } from "../../parts/voice.svelte.ts";
import type { Phone } from "../../phone.svelte.ts";
import { words } from "../../words.ts";

/** Confirms the message, and says whether the desk knows it. */
export async function confirmMessage({ messages, status }: Phone, id: string): Promise<void> {
  const answered = await messages.confirm(id, status.link === "near");
  voice.say(words.alarm.answered[answered]);
}
