// All rows as this phone shows them, in memory: the desk's values with the phone's own entries on top.

import { overlay, type LocalRow } from "./overlay.ts";
import type { RowKey } from "./settle.ts";
import type { ServerRow, Store, StoredOp } from "./store.ts";

/** The rows of a show, kept current by `refresh`. */
export class LocalView {
  readonly #store: Store;
  readonly #rows = new Map<string, Map<string, LocalRow>>();
  readonly #listeners = new Set<() => void>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** All rows of a table that exist for this phone, in no order. */
  all(table: string): Iterable<LocalRow> {
    return this.#rows.get(table)?.values() ?? [];
  }

  /** One row, if it exists for this phone. */
  row(table: string, id: string): LocalRow | undefined {
    return this.#rows.get(table)?.get(id);
  }

  /** Called after each change, until the returned function is. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads rows again after they changed in the store. */
  async refresh(keys: readonly RowKey[] | "all"): Promise<void> {
    if (keys === "all") await this.#readAll();
    else if (keys.length > 0) await this.#readSome(keys);
    else return;
    for (const listener of this.#listeners) listener();
  }

  async #readAll(): Promise<void> {
    const [rows, ops] = await this.#store.transaction("r", [this.#store.rows, this.#store.ops], () =>
      Promise.all([this.#store.rows.toArray(), this.#store.ops.toArray()]),
    );
    const opsOf = byRecord(ops);
    this.#rows.clear();
    for (const row of rows) this.#put(row.table, row.id, row, opsOf.get(recordKey(row.table, row.id)) ?? []);
    for (const op of ops) {
      const own = opsOf.get(recordKey(op.table_name, op.record_id)) ?? [];
      if (this.row(op.table_name, op.record_id) === undefined) this.#put(op.table_name, op.record_id, undefined, own);
    }
  }

  async #readSome(keys: readonly RowKey[]): Promise<void> {
    const named = new Map(keys.map(([table, id]) => [recordKey(table, id), [table, id] as [string, string]]));
    const pairs = [...named.values()];
    const { rows, ops } = this.#store;
    const [found, own] = await this.#store.transaction("r", [rows, ops], () =>
      Promise.all([rows.bulkGet(pairs), Promise.all(pairs.map(([table, id]) => this.#store.opsOn(table, id)))]),
    );
    pairs.forEach(([table, id], i) => this.#put(table, id, found[i], own[i] ?? []));
  }

  #put(table: string, id: string, row: ServerRow | undefined, ops: readonly StoredOp[]): void {
    const local = overlay(row, ops);
    let rows = this.#rows.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.#rows.set(table, rows);
    }
    if (local === undefined) rows.delete(id);
    else rows.set(id, local);
  }
}

function recordKey(table: string, id: string): string {
  return `${table}/${id}`;
}

function byRecord(ops: readonly StoredOp[]): Map<string, StoredOp[]> {
  const result = new Map<string, StoredOp[]>();
  for (const op of ops) {
    const key = recordKey(op.table_name, op.record_id);
    const found = result.get(key);
    if (found) found.push(op);
    else result.set(key, [op]);
  }
  return result;
}
