// The columns of the messages that went out, and which of them there is room for. Pure.

import type { Column } from "@showdesk/components";

import type { MessageItem } from "../../data/desk-api.ts";
import { words } from "../../text/words.ts";

/** Below these widths columns give their room to the message, px. */
const [TIGHT, NARROW, TINY] = [980, 760, 620];

/** `edge`: what a row keeps free at both sides, px. */
export function sentColumns(items: readonly MessageItem[], width: number, edge: number): Column[] {
  const text = words.messages.column;
  const all: Column[] = [
    { id: "sent", label: text.sent, width: `${String(68 + edge)}px` },
    { id: "message", label: text.message },
    { id: "to", label: text.to, width: "112px" },
    { id: "bar", label: text.bar, hideLabel: true, width: "128px" },
    { id: "waiting", label: text.waiting, width: "80px", number: true, tone: "waiting" },
    { id: "phone", label: text.phone, width: "88px", number: true, tone: "phone" },
    { id: "seen", label: text.seen, width: "64px", number: true, tone: "desk" },
    { id: "confirmed", label: text.confirmed, width: "98px", number: true, tone: "done" },
  ];
  // A column of its own only where something failed.
  if (items.some(({ counts }) => counts.failed > 0)) {
    all.push({ id: "failed", label: text.failed, width: "76px", number: true, tone: "bad" });
  }
  all.push({ id: "action", label: text.action, hideLabel: true, width: `${String(108 + edge)}px` });
  if (width > 0 && width < TINY) return all.filter(({ id }) => ["sent", "message", "bar"].includes(id));
  if (width > 0 && width < NARROW) return all.filter(({ id }) => ["sent", "message", "bar", "action"].includes(id));
  if (width > 0 && width < TIGHT) return all.filter(({ id }) => id !== "to");
  return all;
}
