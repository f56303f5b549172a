// How far a message has come, as the four columns of the list count it. Pure.

import type { StackPart } from "@showdesk/components";

import type { MessageItem, StateCounts } from "../../data/desk-api.ts";
import { shortMoment, type ShowText } from "../../text/format.ts";
import { words } from "../../text/words.ts";

const text = words.messages;

/** What a provider took waits, as long as the phone says nothing. */
export function waitingOf(counts: StateCounts): number {
  return counts.waiting + counts.accepted;
}

export function barParts(counts: StateCounts): StackPart[] {
  return [
    { tone: "waiting", value: waitingOf(counts) },
    { tone: "phone", value: counts.delivered },
    { tone: "desk", value: counts.seen },
    { tone: "done", value: counts.confirmed },
    { tone: "bad", value: counts.failed },
    { tone: "none", value: counts.expired },
  ];
}

/** `2 waiting, 3 on phone, 7 seen, 2 confirmed`. */
export function barText(counts: StateCounts): string {
  const said = [
    [waitingOf(counts), text.barPart.waiting],
    [counts.delivered, text.barPart.phone],
    [counts.seen, text.barPart.seen],
    [counts.confirmed, text.barPart.confirmed],
    [counts.failed, text.barPart.failed],
    [counts.expired, text.barPart.expired],
  ] as const;
  return text.bar(said.filter(([value]) => value > 0).map(([value, say]) => say(value)));
}

/** What stands at the end of a message's row. */
export type Next =
  { is: "remind" } | { is: "done"; text: string } | { is: "over"; text: string } | { is: "nobody"; text: string };

export function nextOf(item: MessageItem, show: ShowText): Next {
  if (item.retracted_at !== undefined) return { is: "over", text: text.back };
  // Its time came when it was over: nobody was told.
  if (item.reason !== undefined && isOver(item, Date.parse(item.released_at ?? item.created_at))) {
    return { is: "over", text: text.missed };
  }
  if (isOver(item, show.now)) return { is: "over", text: text.overAt(shortMoment(item.expires_at ?? "", show)) };
  const { counts } = item;
  const unread = waitingOf(counts) + counts.delivered + counts.failed + (item.needs_ack ? counts.seen : 0);
  if (unread > 0) return { is: "remind" };
  if (counts.seen + counts.confirmed === 0) return { is: "nobody", text: text.nobody };
  return { is: "done", text: item.needs_ack ? text.allConfirmed : text.allSeen };
}

export function isOver(item: Pick<MessageItem, "expires_at">, now: number): boolean {
  return item.expires_at !== undefined && Date.parse(item.expires_at) <= now;
}
