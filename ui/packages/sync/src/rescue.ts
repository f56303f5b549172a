// A copy of everything unsent, to be carried to the desk without Wi-Fi, and the way of such a copy into a phone's queue.
//
// Loaded only when it is needed. The token is never part of a copy: whoever reads it in sends it in their own name.

import { SCHEMA, wireOp } from "./envelope.ts";
import { FRESH } from "./outbox.ts";
import { FORMAT, RescueUnreadable, VERSION, writeRescue, type Rescue } from "./rescue-copy.ts";
import type { Session } from "./session.ts";
import type { Store, StoredOp } from "./store.ts";

export {
  joinRescueParts,
  readRescue,
  rescueParts,
  RescueUnreadable,
  type Rescue,
  type RescueFault,
} from "./rescue-copy.ts";

/** A copy of all waiting entries as the text of a file; nothing if none wait. They stay on this phone too. */
export async function exportRescue(store: Store, nowMs: number): Promise<string | null> {
  const { ops, facts } = store;
  return await store.transaction("r", [ops, facts], async () => {
    const waiting = await ops.where("state").equals("waiting").sortBy("device_seq");
    const [session, epoch, incarnation] = [
      await store.fact("session"),
      await store.fact("epoch"),
      await store.fact("incarnation"),
    ];
    if (session === undefined || epoch === undefined || incarnation === undefined || waiting.length === 0) return null;
    const copy: Rescue = {
      format: FORMAT,
      version: VERSION,
      made_at: new Date(nowMs).toISOString(),
      installation_id: session.installation_id,
      show_name: session.show_name,
      device_id: session.device_id,
      person: session.person,
      epoch,
      schema: SCHEMA,
      pushes: pushesOf(waiting, epoch, incarnation),
    };
    return writeRescue(copy);
  });
}

/** Entries by the envelope that they would travel in, what a restored desk has lost first. */
function pushesOf(waiting: readonly StoredOp[], epoch: string, incarnation: string): Rescue["pushes"] {
  const envelopes = new Map<string, Rescue["pushes"][number]>();
  const lostFirst = [...waiting].sort((a, b) => Number(b.recovered_from !== null) - Number(a.recovered_from !== null));
  for (const op of lostFirst) {
    const envelope = { incarnation: op.incarnation ?? incarnation, recovered_from: op.recovered_from, ops: [] };
    const key = `${envelope.recovered_from} ${envelope.incarnation}`;
    const push = envelopes.get(key) ?? envelope;
    push.ops.push(wireOp(op, epoch));
    envelopes.set(key, push);
  }
  return [...envelopes.values()];
}

/** What was taken in. */
export interface TakenIn {
  readonly added: number;
  /** Entries that this phone already has. */
  readonly known: number;
}

/** What of a copy says where its entries come from. */
export type Handed = Pick<Rescue, "installation_id" | "device_id" | "epoch" | "pushes">;

/** Puts a copy's entries into this phone's queue. Taking it in twice changes nothing: entries keep their ids. */
export async function takeIn(store: Store, copy: Handed): Promise<TakenIn> {
  return await store.transaction("rw", [store.ops, store.facts], async () => {
    const session = await store.fact("session");
    if (session?.installation_id !== copy.installation_id) throw new RescueUnreadable("other_show");
    const rescued = copy.pushes.flatMap((push) => push.ops.map((op) => ({ push, op })));
    const known = await store.ops.bulkGet(rescued.map(({ op }) => op.op_id));
    const unknown = rescued.filter((_, i) => known[i] === undefined);
    const inCopy = new Set(rescued.map(({ op }) => op.op_id));
    const own = (await store.fact("incarnation")) ?? "";
    let deviceSeq = (await store.fact("device_seq")) ?? 0;
    const ops = unknown.map(({ push, op }): StoredOp => {
      deviceSeq += 1;
      return { ...FRESH, ...op, ...placeIn(copy, push, op, { session, own, inCopy }), device_seq: deviceSeq };
    });
    await store.ops.bulkAdd(ops);
    await store.setFact("device_seq", deviceSeq);
    return { added: ops.length, known: rescued.length - ops.length };
  });
}

/**
 * How an entry stands here. For the desk, this phone's own earlier store goes on under its own name, while entries of
 * another phone are this phone's: an entry before them that is not in the copy is then unknown to their chain,
 * and their `base` alone tells what their author had seen.
 */
function placeIn(
  copy: Handed,
  push: Rescue["pushes"][number],
  op: Rescue["pushes"][number]["ops"][number],
  here: { readonly session: Session; readonly own: string; readonly inCopy: ReadonlySet<string> },
) {
  const isOwnPhone = copy.device_id === here.session.device_id;
  const isChained = isOwnPhone || (op.prev_op_id !== null && here.inCopy.has(op.prev_op_id));
  return {
    incarnation: isOwnPhone && push.incarnation !== here.own ? push.incarnation : null,
    prev_op_id: isChained ? op.prev_op_id : null,
    recovered_from: push.recovered_from,
    epoch: op.epoch ?? copy.epoch,
    base: op.base ?? null,
  };
}
