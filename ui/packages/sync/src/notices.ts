// Messages of the desk in the phone's store: one for each id, the newest telling of it, and how far its person has come.
//
// Pure where it can be. What is told to the desk rises only: waiting, delivered, seen, confirmed.

import type { NoticePlace, Store, StoredNotice } from "./store.ts";
import { NOTICE_STATES, type Notice, type NoticeState } from "./wire.ts";

/** Messages kept at most; the oldest make room. */
const NOTICES_MAX = 300;
/** What the desk has not acknowledged yet stays longer, or it would never learn that the message came. */
const UNTOLD_MAX = 5_000;
/** What is over is kept so long, to say that it was missed. */
const OVER_KEEP_MS = 12 * 3_600_000;

/** How the person stands with a message, on this phone or another. */
export function reached({ state, own }: StoredNotice): NoticeState {
  return higher(state, own);
}

/** Whether somebody got so far, or farther. */
export function isAtLeast(state: NoticeState, least: NoticeState): boolean {
  return NOTICE_STATES.indexOf(state) >= NOTICE_STATES.indexOf(least);
}

/** Whether the desk has not yet acknowledged what became of it here. */
export function isUntold({ own, told }: StoredNotice): boolean {
  return !isAtLeast(told, own);
}

/** Whether it was taken back, or its time has passed. */
export function isOver({ retracted_at, expires_at }: Notice, nowMs: number): boolean {
  return retracted_at !== null || (expires_at !== null && Date.parse(expires_at) <= nowMs);
}

/**
 * Stores what the desk has told. Of one message the highest number wins, so a repeated telling changes nothing.
 * Answers what is new to the person: a message, or a reminder of one that waits for them.
 */
export async function keepNotices(store: Store, told: readonly Notice[], nowMs: number): Promise<StoredNotice[]> {
  const arrived = new Map<string, StoredNotice>();
  await store.transaction("rw", store.notices, async () => {
    const found = await store.notices.bulkGet([...new Set(told.map(({ id }) => id))]);
    const known = new Map(found.flatMap((notice) => (notice ? [[notice.id, notice] as const] : [])));
    const before = new Map(known);
    for (const notice of told) {
      const earlier = known.get(notice.id);
      if (earlier === undefined || earlier.seq < notice.seq) known.set(notice.id, joined(earlier, notice, nowMs));
    }
    const changed = [...known.values()].filter((notice) => before.get(notice.id) !== notice);
    await store.notices.bulkPut(changed);
    for (const notice of changed) {
      if (isNews(before.get(notice.id), notice) && !isOver(notice, nowMs)) arrived.set(notice.id, notice);
    }
    if (changed.length > 0) await prune(store, nowMs);
  });
  return [...arrived.values()];
}

/** The person got so far with these on this phone; it never goes back. Answers whether anything changed. */
export async function raise(store: Store, ids: readonly string[], state: NoticeState): Promise<boolean> {
  const raised = await store.notices
    .where("id")
    .anyOf(ids)
    .filter((notice) => !isAtLeast(notice.own, state))
    .modify((notice) => void Object.assign(notice, { own: state }));
  return raised > 0;
}

/** The desk has acknowledged that these got so far. */
export async function markTold(store: Store, ids: readonly string[], state: NoticeState, nowMs: number): Promise<void> {
  await store.transaction("rw", store.notices, async () => {
    await store.notices
      .where("id")
      .anyOf(ids)
      .modify((notice) => void Object.assign(notice, { told: higher(notice.told, state) }));
    await prune(store, nowMs);
  });
}

/**
 * From where on to ask. Another person has other messages; a desk that was restored counts anew, and may have forgotten
 * what it was told: what it tells from now on wins, and it is told again what became of everything.
 */
export async function placeOf(store: Store): Promise<NoticePlace | undefined> {
  return await store.transaction("rw", [store.facts, store.notices], async () => {
    const [session, epoch, at] = await Promise.all([
      store.fact("session"),
      store.fact("epoch"),
      store.fact("notices_at"),
    ]);
    if (session === undefined) return undefined;
    const place = { person: session.person.id, epoch: epoch ?? "", after: 0 };
    if (at?.person === place.person && at.epoch === place.epoch) return at;
    if (at?.person === place.person) await countAnew(store);
    else await store.notices.clear();
    await store.setFact("notices_at", place);
    return place;
  });
}

/** Whatever the desk tells next of any message is newer than what is here. */
export async function countAnew(store: Store): Promise<void> {
  await store.notices.toCollection().modify((notice) => void Object.assign(notice, { seq: 0, told: "waiting" }));
}

/** The phone has everything up to this number, as long as it is still the same person and the same life of the desk. */
export async function moveOn(store: Store, from: NoticePlace, after: number): Promise<void> {
  const at = await store.fact("notices_at");
  if (at?.person !== from.person || at.epoch !== from.epoch) return;
  if (after > at.after) await store.setFact("notices_at", { ...at, after });
}

function joined(earlier: StoredNotice | undefined, notice: Notice, nowMs: number): StoredNotice {
  // It is stored by now: that is all that "delivered" promises. What came too late was never delivered.
  const isLate = earlier === undefined && isOver(notice, nowMs);
  const own = isLate ? "waiting" : higher(earlier?.own ?? "waiting", "delivered");
  const state = higher(earlier?.state ?? "waiting", notice.state);
  return { ...notice, state, own, told: earlier?.told ?? "waiting" };
}

function isNews(earlier: StoredNotice | undefined, notice: StoredNotice): boolean {
  const isReminder = notice.reminded_at !== null && notice.reminded_at !== earlier?.reminded_at;
  if (earlier !== undefined && !isReminder) return false;
  return !isAtLeast(reached(notice), notice.needs_ack ? "confirmed" : "seen");
}

function higher(one: NoticeState, other: NoticeState): NoticeState {
  return isAtLeast(one, other) ? one : other;
}

/** The newest, as many as are kept; what only waits for the desk is in no list. */
export async function listed(store: Store): Promise<StoredNotice[]> {
  return newestFirst(await store.notices.toArray()).slice(0, NOTICES_MAX);
}

function newestFirst(notices: StoredNotice[]): StoredNotice[] {
  return notices.sort((a, b) => b.seq - a.seq);
}

async function prune(store: Store, nowMs: number): Promise<void> {
  const all = await store.notices.toArray();
  const overSince = ({ retracted_at, expires_at }: Notice) => Date.parse(retracted_at ?? expires_at ?? "");
  const isGone = (notice: StoredNotice) => isOver(notice, nowMs) && nowMs - overSince(notice) > OVER_KEEP_MS;
  const left = newestFirst(all.filter((notice) => !isGone(notice)));
  const isKept = (notice: StoredNotice, place: number) =>
    place < NOTICES_MAX || (place < UNTOLD_MAX && isUntold(notice));
  const kept = new Set(left.filter(isKept));
  await store.notices.bulkDelete(all.filter((notice) => !kept.has(notice)).map(({ id }) => id));
}
