// One conversation with the desk, in the protocol's order: who is it, which epoch, what it lost, what waits, what is new.

import type { Api, ApiProblem } from "@showdesk/api";

import { askOpen, takeChecks } from "./checks.ts";
import { pullAll } from "./pull.ts";
import { pushAll, type Pace } from "./push.ts";
import type { Reach } from "./reach.ts";
import { enterEpoch, giveBack } from "./recover.ts";
import { renewToken } from "./session.ts";
import { forgetOld, type RowKey } from "./settle.ts";
import type { SyncStatus } from "./status.ts";
import type { Store } from "./store.ts";
import type { Ping } from "./wire.ts";

/** What a conversation needs. */
export interface RoundContext {
  readonly store: Store;
  readonly api: Api;
  readonly reach: Reach;
  readonly now: () => number;
  readonly random: () => number;
  readonly pace: Pace;
  /** Something was told about disputed entries. */
  readonly looksAtChecks: boolean;
  /** The desk has answered. */
  readonly onFound: (who: Ping) => Promise<void>;
  /** The moment for who this phone is, and its messages: before the entries, because one may say to stop. */
  readonly onNotices: () => Promise<void>;
  readonly onProgress: (sending: SyncStatus["sending"]) => void;
  readonly onRows: (touched: readonly RowKey[] | "all") => Promise<void>;
}

/** What was said. */
export interface RoundOutcome {
  /** The desk's newest change number. */
  readonly clock: number;
  /** Why entries were set aside, if any were. */
  readonly refusal: ApiProblem | null;
}

/** Talks to the desk once; nothing is said by a phone that belongs to no show. */
export async function talk(context: RoundContext): Promise<RoundOutcome | null> {
  const { store, api, reach, now, random, pace, onRows, onProgress } = context;
  const session = await store.fact("session");
  if (session === undefined) return null;
  const who = await reach.find(store, session.installation_id);
  await context.onFound(who);
  await enterEpoch(store, who.epoch);
  await context.onNotices();
  const moment = () => ({ nowMs: now(), random });
  if ((await store.fact("recover_from")) !== undefined) {
    await pullAll({ store, api, onRows });
    await onRows(await giveBack(api, store, moment()));
  }
  const refusal = await pushAll({
    store,
    api,
    now,
    random,
    pace,
    onProgress: (done, total) => onProgress({ done, total }),
    onSettled: onRows,
  });
  onProgress(null);
  const pulled = await pullAll({ store, api, onRows });
  const moved = await askOpen(api, store, moment());
  await onRows(moved);
  if (context.looksAtChecks || pulled.disputesMoved || moved.length > 0) await onRows(await takeChecks(api, store));
  await forgetOld(store, now());
  await renewToken(api, store, now());
  return { clock: pulled.clock, refusal };
}
