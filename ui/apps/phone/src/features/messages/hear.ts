// News is heard, felt, and shown outside the page while nobody looks at it. An emergency needs none of this.

import { browserPreferences, TWO_TONES, vibrate } from "@showdesk/platform";
import { hearPushed, hideOutside, showOutside } from "@showdesk/platform/subscription";
import { isAtLeast, reached, type StoredNotice } from "@showdesk/sync";

import { messageWords } from "../../message-words.ts";
import { speaker } from "../../parts/speaker.ts";
import { voice } from "../../parts/voice.svelte.ts";
import type { Phone } from "../../phone.svelte.ts";
import type { Route } from "../../router.svelte.ts";
import { Outside } from "./outside.svelte.ts";

const NUDGE = [200, 100, 200] as const;

let outside: Outside | undefined;

/** Messages outside the page of this phone. */
export function outsideOf({ api, store }: Phone): Outside {
  outside ??= new Outside({ api, store, preferences: browserPreferences(), now: Date.now });
  return outside;
}

/** Begins to; once for a page. */
export function hearMessages(phone: Phone, go: (route: Route) => void): void {
  const own = outsideOf(phone);
  phone.messages.onArrived((arrived) => tell(arrived, own));
  const look = () => {
    if (phone.engine.status.link === "near" && phone.session !== undefined) void own.look();
  };
  phone.engine.subscribe(look);
  look();
  phone.engine.inbox.subscribe(() => hideRead(phone.engine.inbox.items));
  void hearPushed({
    take: (told) => phone.messages.hearEarly(told),
    open: () => go({ name: "messages" }),
  }).catch(() => undefined);
}

function tell(arrived: readonly StoredNotice[], own: Outside): void {
  // The browser's leave is not the person's: they may have turned it off here.
  if (document.visibilityState === "hidden" && own.leave === "granted") {
    for (const { id, title, body, priority } of arrived) {
      void showOutside({ id, title, body: body ?? "", isUrgent: priority === "urgent" }).catch(() => undefined);
    }
  }
  // An emergency rings by itself, and is said by its own dialog.
  const news = arrived.filter(({ priority }) => priority !== "urgent");
  const [first] = news;
  if (first === undefined) return;
  voice.say(news.length === 1 ? messageWords.arrived(first.title) : messageWords.arrivedMany(news.length));
  if (!news.some(({ priority }) => priority === "high")) return;
  vibrate(NUDGE);
  void speaker.play(TWO_TONES);
}

/** What was read here, or taken back, need not stand outside any more. */
function hideRead(notices: readonly StoredNotice[]): void {
  const isDone = (notice: StoredNotice) => {
    const least = notice.priority === "urgent" || notice.needs_ack ? "confirmed" : "seen";
    return notice.retracted_at !== null || isAtLeast(reached(notice), least);
  };
  void hideOutside(new Set(notices.filter(isDone).map(({ id }) => id))).catch(() => undefined);
}
