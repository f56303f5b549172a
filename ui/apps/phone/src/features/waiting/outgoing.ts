// How this phone's entries stand on their way to the desk, in the groups that the waiting list shows.

import type { StoredOp, SyncStatus } from "@showdesk/sync";

import { laterWords } from "../../later-words.ts";

/** The groups of the waiting list, each newest first. */
export interface Outgoing {
  /** Not answered by the desk. */
  readonly waiting: readonly StoredOp[];
  /** The desk has them; they wait there for another entry. */
  readonly atDesk: readonly StoredOp[];
  /** A person at the desk must choose. */
  readonly checking: readonly StoredOp[];
  /** The desk said no, and the person has not read why. */
  readonly refused: readonly StoredOp[];
}

/** Sorts the entries of a phone. */
export function outgoing(ops: readonly StoredOp[]): Outgoing {
  const isHeld = (op: StoredOp) => op.state === "held" && op.conflict_id === null;
  return {
    waiting: ops.filter((op) => op.state === "waiting"),
    atDesk: ops.filter(isHeld),
    checking: ops.filter((op) => op.state === "conflict" || (op.state === "held" && !isHeld(op))),
    refused: ops.filter((op) => op.state === "rejected" && !op.dismissed),
  };
}

/** How long an entry has been waiting. A phone whose clock was set back says "Now". */
export function ageText(op: StoredOp, nowMs: number): string {
  return laterWords.waiting.age(Math.max(0, Math.floor((nowMs - Date.parse(op.client_time)) / 60_000)));
}

/** What it means that nothing waits. */
export function noneWords(lastSentMs: number | null): { title: string; text: string } {
  return lastSentMs === null ? laterWords.waiting.noneYet : laterWords.waiting.none;
}

/** The first line: that entries are safe, and what makes them go out. */
export function safeText({ access, lastSentMs }: SyncStatus, count: number): string {
  const { waiting } = laterWords;
  if (count === 0) {
    const { title, text } = noneWords(lastSentMs);
    return `${title} ${text}`;
  }
  switch (access) {
    case "ok":
      return waiting.safe;
    case "removed":
      return waiting.safeRemoved;
    case "expired":
      return waiting.safeExpired;
    case "signed_out":
      return waiting.safeSignedOut;
    case "too_old":
      return waiting.safeTooOld;
    case "full":
      return waiting.safeFull;
  }
}

/** What happens next; nothing where only a person can help. */
export function nextText(status: SyncStatus, nowMs: number): string {
  const { waiting } = laterWords;
  if (status.waiting === 0) return "";
  if (status.sending !== null) {
    const { done, total } = status.sending;
    return waiting.sending(Math.min(done + 1, total), total);
  }
  if (status.access !== "ok" && status.access !== "full") return "";
  const seconds = status.nextTryMs === null ? 0 : Math.ceil((status.nextTryMs - nowMs) / 1_000);
  if (status.link === "near" && status.access === "ok" && status.trouble === null) return waiting.soon;
  return seconds > 0 ? waiting.nextTry(seconds) : waiting.trying;
}
