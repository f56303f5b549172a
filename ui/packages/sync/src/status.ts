// What the chip in the header says, as facts. The words are the app's.

import type { UnreachableReason } from "@showdesk/api";

import { leftMs } from "./retry.ts";
import type { Store } from "./store.ts";

/** Whether the desk takes this phone's entries; `full` is the laptop's disk. */
export type Access = "ok" | "signed_out" | "expired" | "removed" | "too_old" | "full";

/** How the phone and the desk stand. */
export interface SyncStatus {
  readonly access: Access;
  /** Only our own ping counts; unknown until the first. */
  readonly link: "unknown" | "near" | "away";
  /** Why it is away, while it is. */
  readonly away: UnreachableReason | null;
  /** Entries the desk has not answered. */
  readonly waiting: number;
  /** When the oldest of them was made. */
  readonly oldestMs: number | null;
  /** Entries under way, while they are. */
  readonly sending: { readonly done: number; readonly total: number } | null;
  /** Entries that a person must look at. */
  readonly checking: number;
  /** When the desk last had everything. */
  readonly lastSentMs: number | null;
  /** When the next try comes, if one is planned. */
  readonly nextTryMs: number | null;
  /** Whether the first sync was whole: before that, nothing found does not mean that nothing is there. */
  readonly complete: boolean;
  /** Whether the laptop can be reached with a certificate. */
  readonly offersHttps: boolean;
  /** Where the laptop answers now, if it has another address than this page came from. */
  readonly movedTo: string | null;
  /** What should not happen and did. */
  readonly trouble: { readonly code: string; readonly detail: string } | null;
}

/** Before anything is known. */
export const FIRST_STATUS: SyncStatus = {
  access: "ok",
  link: "unknown",
  away: null,
  waiting: 0,
  oldestMs: null,
  sending: null,
  checking: 0,
  lastSentMs: null,
  nextTryMs: null,
  complete: false,
  offersHttps: false,
  movedTo: null,
  trouble: null,
};

/** What can be counted in the store. */
export type Counted = Pick<SyncStatus, "waiting" | "oldestMs" | "checking" | "lastSentMs" | "complete">;

/** Counts the store. */
export async function count(store: Store): Promise<Counted> {
  return await store.transaction("r", [store.ops, store.checks, store.facts], async () => {
    const held = await store.opsIn("held");
    const waiting = [...(await store.opsIn("waiting")), ...held.filter((op) => op.conflict_id === null)];
    const open = await store.opsIn("conflict", "rejected");
    const checks = new Set([...held, ...open].flatMap((op) => op.conflict_id ?? []));
    for (const { id, view } of await store.checks.toArray()) {
      // Of a weight that a rule disputes the entry itself was taken: only its check tells.
      const isOwn = async () => (await store.ops.where("op_id").anyOf(view.op_ids).count()) > 0;
      if (view.status === "open" && !checks.has(id) && (await isOwn())) checks.add(id);
    }
    const rejected = open.filter((op) => op.state === "rejected" && !op.dismissed).length;
    return {
      waiting: waiting.length,
      oldestMs: waiting.length === 0 ? null : Math.min(...waiting.map((op) => Date.parse(op.client_time))),
      checking: checks.size + rejected,
      lastSentMs: (await store.fact("last_sent_ms")) ?? null,
      complete: (await store.fact("complete")) ?? false,
    };
  });
}

/** What each request tells the desk of this phone, so that people there see who holds entries, and whose Wi-Fi is weak. */
export function tidings(
  { waiting, oldestMs }: SyncStatus,
  { level, tookMs, nowMs }: { readonly level: string; readonly tookMs: number | null; readonly nowMs: number },
): Readonly<Record<string, string>> {
  const whole = (ms: number): string => String(Math.max(0, Math.round(ms)));
  return {
    "X-Client-Level": level,
    "X-Client-Pending": String(waiting),
    ...(oldestMs === null ? {} : { "X-Client-Waiting-Ms": whole(nowMs - oldestMs) }),
    ...(tookMs === null ? {} : { "X-Client-Took-Ms": whole(tookMs) }),
  };
}

/** How long until the next waiting entry may be sent that was put off; for ever if none was. */
export async function nextSendMs(store: Store, nowMs: number): Promise<number> {
  const waiting = await store.opsIn("waiting");
  return Math.min(...waiting.map((op) => leftMs(op.not_before_ms, nowMs)).filter((left) => left > 0));
}
