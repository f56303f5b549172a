// What the phone keeps: the desk's rows, the entries of this phone, and a few facts about itself.
//
// Tables and their types only; who writes them when is told by outbox, settle, pull and checks.

import type { TableName } from "@showdesk/api";
import { Dexie, type Table } from "dexie";

import { newId } from "./ids.ts";
import type { Session, Joining } from "./session.ts";
import type { CheckView, Decision, Notice, NoticeState, OpFault } from "./wire.ts";

/** Values of a row by column, as JSON. */
export type Fields = Record<string, unknown>;

/** A row as the desk last told it. */
export interface ServerRow {
  readonly table: string;
  readonly id: string;
  readonly version: number;
  readonly seq: number;
  readonly data: Fields;
  /** Fields in dispute while a check about the row is open. */
  readonly disputed: readonly string[];
  /** The epoch it was told in, if the desk tells it no more: it stays for the unsent entries that were made on it. */
  readonly kept_from: string | null;
}

/**
 * Where an entry stands.
 * - waiting: not yet answered by the desk (sent again until it is)
 * - held: the desk has it and waits for another entry or a decision
 * - conflict: a person at the desk must choose
 * - rejected: the desk cannot accept it
 * - done: it has its effect, or was decided
 */
export type OpState = "waiting" | "held" | "conflict" | "rejected" | "done";

/** Entries that are decided together: all or none. */
export interface Txn {
  readonly id: string;
  readonly size: number;
}

/** An entry of this phone: one change of one row, with what the person saw when making it. */
export interface StoredOp {
  readonly op_id: string;
  readonly device_seq: number;
  /** The store it was made in, if it was taken in from a rescue copy of this phone; null for this store. */
  readonly incarnation: string | null;
  readonly txn: Txn | null;
  readonly table_name: TableName;
  readonly record_id: string;
  readonly operation: "insert" | "update" | "delete";
  /** The row's version last adopted from the desk when the person made the change; 0 for an insert. */
  readonly base_version: number;
  /** This phone's latest entry on the row that was not adopted then. */
  readonly prev_op_id: string | null;
  readonly data: Fields;
  readonly base: Fields | null;
  readonly reason: string | null;
  readonly client_time: string;
  /** The epoch of the rows that it was made on. The desk is told if that is not its present one. */
  readonly epoch: string | null;
  /** The epoch whose answer was lost with the desk's database, while it is being given back. */
  readonly recovered_from: string | null;
  readonly state: OpState;
  /** Not sent before this moment. */
  readonly not_before_ms: number;
  readonly attempts: number;
  /** The row's version after it; 0 while unknown. */
  readonly result_version: number;
  /** The feed has been read past its effect: what the desk tells of the row is all there is. */
  readonly adopted: boolean;
  /** The entry or the row that a held entry waits for, as the desk names it. */
  readonly waiting_for: unknown;
  readonly conflict_id: string | null;
  readonly contested: readonly string[];
  readonly fault: OpFault | null;
  readonly decision: Decision | null;
  /** When the desk's last verdict was stored. */
  readonly settled_at_ms: number | null;
  /** The person has read why it was rejected. */
  readonly dismissed: boolean;
}

/** A disputed entry as the desk tells it, and whether its author has answered the decision. */
export interface StoredCheck {
  readonly id: string;
  readonly view: CheckView;
  /** The `rev` that the author said OK to. */
  readonly answered_rev: number | null;
}

/** A message of the desk, and what became of it on this phone. */
export interface StoredNotice extends Notice {
  /** How far the person has come with it on this phone. */
  readonly own: NoticeState;
  /** What of that the desk has acknowledged: the rest is still to be told. */
  readonly told: NoticeState;
}

/** How far this phone has read what was told to its person, and in which life of the desk. */
export interface NoticePlace {
  readonly person: string;
  readonly epoch: string;
  readonly after: number;
}

/** One leader among the tabs of this phone. */
export interface Lease {
  readonly tab: string;
  readonly until_ms: number;
}

/** A first sync into a fresh store, after the desk could not continue the old position. */
export interface Reconcile {
  readonly cursor: string | null;
}

/** The way of this phone to a page with another storage. */
export interface MovedOn {
  /** The page, or the Home Screen. */
  readonly to: "page" | "home_screen";
  readonly address: string;
}

/** This phone's address at a push service, as the desk knows it. */
export interface PushPlace {
  /** The desk's name for it. */
  readonly id: string;
  readonly endpoint: string;
  /** The desk's key that it was made for. */
  readonly key: string;
}

/** Single facts, by key. */
export interface Facts {
  session: Session;
  joining: Joining;
  incarnation: string;
  device_seq: number;
  epoch: string;
  /** The epoch that `rows` were told in: an older one while they are taken anew. */
  rows_epoch: string;
  /** Where the last page ended. */
  cursor: string;
  reconcile: Reconcile;
  /** Rows that the desk tells no more, kept for the entries on them. */
  kept_rows: readonly (readonly [table: string, id: string])[];
  /** Where the laptop said that a page like this one can reach it, best first. */
  addresses: readonly string[];
  /** Where it answers without a certificate; kept only by a page that came with one. */
  plain_addresses: readonly string[];
  /** How the fingerprint of the show's certificate begins, as the code said that was scanned. */
  fingerprint: string;
  /** Where this phone goes on, once its pass was carried to another page. */
  moved_on: MovedOn;
  /** The pass that this page came with, worth nothing since: the same address may be opened again and again. */
  taken_pass: string;
  /** The epoch whose acknowledged entries must still be looked after. */
  recover_from: string;
  /** Whether the first sync has been whole once. */
  complete: boolean;
  lease: Lease;
  last_sent_ms: number;
  notices_at: NoticePlace;
  /** How far the desk's clock is ahead of this phone's. */
  clock_ahead_ms: number;
  /** Where the desk reaches this phone when the page is closed. */
  push: PushPlace;
}

/** The phone's database. */
export class Store extends Dexie {
  declare readonly rows: Table<ServerRow, [string, string]>;
  declare readonly incoming: Table<ServerRow, [string, string]>;
  declare readonly ops: Table<StoredOp, string>;
  declare readonly checks: Table<StoredCheck, string>;
  declare readonly notices: Table<StoredNotice, string>;
  declare readonly facts: Table<{ key: string; value: unknown }, string>;

  constructor(name: string = "showdesk") {
    // Strict: when a transaction is complete its entry has reached the disk.
    super(name, { chromeTransactionDurability: "strict" });
    this.version(1).stores({
      rows: "[table+id]",
      incoming: "[table+id]",
      ops: "op_id, device_seq, state, [table_name+record_id]",
      checks: "id",
      facts: "key",
    });
    this.version(2).stores({ notices: "id" });
    this.on("populate", () => this.facts.add({ key: "incarnation", value: newId() }));
  }

  /** The entries that stand so. One question for each state: a range over several is walked row by row. */
  async opsIn(...states: readonly OpState[]): Promise<StoredOp[]> {
    const found = states.map((state) => this.ops.where("state").equals(state).toArray());
    return (await Promise.all(found)).flat();
  }

  /** This phone's entries on one row. */
  opsOn(table: string, id: string): Promise<StoredOp[]> {
    return this.ops.where("[table_name+record_id]").equals([table, id]).toArray();
  }

  async fact<K extends keyof Facts>(key: K): Promise<Facts[K] | undefined> {
    const found = await this.facts.get(key);
    // Only setFact writes this table, so the value has the key's type.
    return found?.value as Facts[K] | undefined;
  }

  async setFact<K extends keyof Facts>(key: K, value: Facts[K]): Promise<void> {
    await this.facts.put({ key, value });
  }

  async dropFact(key: keyof Facts): Promise<void> {
    await this.facts.delete(key);
  }
}
