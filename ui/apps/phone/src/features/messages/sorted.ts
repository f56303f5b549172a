// Messages in the groups that the screens show. Pure: the same messages at the same time give the same groups.

import { isAtLeast, isOver, reached, type StoredNotice } from "@showdesk/sync";

/** The groups. Each message that is shown stands in one of them. */
export interface Sorted {
  /** Emergencies without an answer, in the order in which they were sent: an all-clear comes after its alarm. */
  readonly alarms: readonly StoredNotice[];
  /** What must be confirmed and is not, in that order too. */
  readonly important: readonly StoredNotice[];
  /** Newest first, like all that follows. */
  readonly unread: readonly StoredNotice[];
  readonly earlier: readonly StoredNotice[];
  /** Over before the person saw it. */
  readonly missed: readonly StoredNotice[];
  /** How many wait for the person. */
  readonly count: number;
}

/** What only this page knows. */
export interface Here {
  /** By the desk's clock. */
  readonly nowMs: number;
  /** Was new when the list was opened, and stays new while it is. */
  readonly fresh: readonly string[];
  /** Answered just now, whether or not that is stored yet. */
  readonly answered: readonly string[];
}

/** Sorts messages. */
export function sortNotices(notices: readonly StoredNotice[], { nowMs, fresh, answered }: Here): Sorted {
  const oldestFirst = [...notices].sort(bySent);
  const newestFirst = [...oldestFirst].reverse();
  const isOpen = (notice: StoredNotice) => !isOver(notice, nowMs);
  const isConfirmed = (notice: StoredNotice) => answered.includes(notice.id) || isAtLeast(reached(notice), "confirmed");
  const isSeen = (notice: StoredNotice) => isConfirmed(notice) || isAtLeast(reached(notice), "seen");
  const mustConfirm = (notice: StoredNotice) => isOpen(notice) && !isConfirmed(notice);
  const isNew = (notice: StoredNotice) => !isSeen(notice) || (fresh.includes(notice.id) && !isConfirmed(notice));

  const alarms = oldestFirst.filter((notice) => isUrgent(notice) && mustConfirm(notice));
  const important = oldestFirst.filter((notice) => isImportant(notice) && mustConfirm(notice));
  const rest = newestFirst.filter(
    (notice) => isOpen(notice) && !alarms.includes(notice) && !important.includes(notice),
  );
  const unread = rest.filter(isNew);
  // Who has read what was taken back must learn that it was.
  const takenBack = newestFirst.filter((notice) => notice.retracted_at !== null && isSeen(notice));
  return {
    alarms,
    important,
    unread,
    earlier: [...rest.filter((notice) => !isNew(notice)), ...takenBack].sort((a, b) => bySent(b, a)),
    missed: newestFirst.filter((notice) => notice.retracted_at === null && !isOpen(notice) && !isSeen(notice)),
    count: alarms.length + important.length + unread.length,
  };
}

function isUrgent({ priority }: StoredNotice): boolean {
  return priority === "urgent";
}

function isImportant(notice: StoredNotice): boolean {
  return notice.needs_ack && !isUrgent(notice);
}

function bySent(a: StoredNotice, b: StoredNotice): number {
  return Date.parse(a.sent_at) - Date.parse(b.sent_at) || a.seq - b.seq;
}
