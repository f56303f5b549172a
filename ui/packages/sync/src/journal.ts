// The newest unanswered entries a second time, beside IndexedDB: phones lose a database that they called safe.
//
// An entry is noted once it is on the disk and struck out once the desk has answered. One that is noted and
// not in the store was lost with it, and is put back like an entry of a rescue copy.

import { wireOp, type WireOp } from "./envelope.ts";
import type { Handed } from "./rescue.ts";
import type { Session } from "./session.ts";
import type { Store, StoredOp } from "./store.ts";

/** Entries noted at most; the oldest make room. */
const OPS_MAX = 50;

/** A place for small texts that does not share the database's fate; it never throws. */
export interface Shelf {
  read(key: string): string | null;
  write(key: string, text: string): void;
}

/** An entry as it would be sent, and the store and epoch that it would be sent from. */
interface Noted {
  readonly device_id: string;
  readonly incarnation: string;
  readonly epoch: string;
  readonly recovered_from: string | null;
  readonly op: WireOp;
}

/** What this phone has not yet got an answer for, one list for each show. */
export class Journal {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Notes entries that have just reached the disk. */
  async note(store: Store, ops: readonly StoredOp[]): Promise<void> {
    const [session, incarnation, epoch] = await store.transaction("r", store.facts, () =>
      Promise.all([store.fact("session"), store.fact("incarnation"), store.fact("epoch")]),
    );
    if (session === undefined || incarnation === undefined || epoch === undefined) return;
    const noted = ops.map((op): Noted => ({
      device_id: session.device_id,
      incarnation: op.incarnation ?? incarnation,
      epoch,
      recovered_from: op.recovered_from,
      op: wireOp(op, epoch),
    }));
    this.#write(session, newest([...this.#read(session), ...noted]));
  }

  /** Strikes out what the desk has answered. */
  async strike(store: Store): Promise<void> {
    const session = await store.fact("session");
    const noted = session === undefined ? [] : this.#read(session);
    if (session === undefined || noted.length === 0) return;
    const here = await store.ops.bulkGet(noted.map(({ op }) => op.op_id));
    const open = noted.filter((_, i) => (here[i]?.state ?? "waiting") === "waiting");
    if (open.length < noted.length) this.#write(session, open);
  }

  /** Puts back what the store has lost; answers how many entries that were. */
  async putBack(store: Store): Promise<number> {
    const session = await store.fact("session");
    const noted = session === undefined ? [] : this.#read(session);
    if (session === undefined || noted.length === 0) return 0;
    const here = await store.ops.bulkGet(noted.map(({ op }) => op.op_id));
    const lost = noted.filter((_, i) => here[i] === undefined);
    if (lost.length === 0) return 0;
    // Needed this once, if ever: not part of what a page loads first.
    const { takeIn } = await import("./rescue.ts");
    for (const copy of copiesOf(lost, session)) await takeIn(store, copy);
    const back = await store.ops.bulkGet(lost.map(({ op }) => op.op_id));
    // From now on they are this store's, under its own name.
    this.#write(
      session,
      noted.filter((one) => !lost.includes(one)),
    );
    await this.note(
      store,
      back.filter((op) => op !== undefined),
    );
    return lost.length;
  }

  #read(session: Session): Noted[] {
    try {
      const found: unknown = JSON.parse(this.#shelf.read(keyOf(session)) ?? "[]");
      // Only this class writes there; what is cut or foreign is no list of entries.
      return Array.isArray(found) ? (found as Noted[]).filter((one) => typeof one?.op?.op_id === "string") : [];
    } catch {
      return [];
    }
  }

  #write(session: Session, noted: readonly Noted[]): void {
    this.#shelf.write(keyOf(session), JSON.stringify(noted));
  }
}

function keyOf(session: Session): string {
  return `journal.${session.installation_id}`;
}

/** The newest ones. Entries that the desk takes all or none of are worth nothing in part. */
function newest(noted: readonly Noted[]): Noted[] {
  const from = Math.max(0, noted.length - OPS_MAX);
  const torn = new Set(noted.slice(0, from).flatMap(({ op }) => op.txn?.id ?? []));
  return noted.slice(from).filter(({ op }) => op.txn === null || !torn.has(op.txn.id));
}

/** The lost entries as rescue copies, one for each envelope that they would have travelled in. */
function copiesOf(lost: readonly Noted[], { installation_id }: Session): Handed[] {
  const copies = new Map<string, Noted[]>();
  for (const one of lost) {
    const key = [one.device_id, one.incarnation, one.epoch, one.recovered_from].join(" ");
    copies.set(key, [...(copies.get(key) ?? []), one]);
  }
  return [...copies.values()].flatMap((noted) => {
    const [first] = noted;
    if (first === undefined) return [];
    const { device_id, incarnation, epoch, recovered_from } = first;
    const pushes = [{ incarnation, recovered_from, ops: noted.map(({ op }) => op) }];
    return [{ installation_id, device_id, epoch, pushes }];
  });
}
