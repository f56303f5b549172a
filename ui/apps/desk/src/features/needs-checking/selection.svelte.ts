// Which open clashes are ticked, to be decided together.

import { toggled } from "./toggled.ts";

export class Selection {
  #ids = $state.raw<readonly string[]>([]);
  /** The line from which a range goes. */
  #anchor: string | undefined;

  get ids(): readonly string[] {
    return this.#ids;
  }

  has(id: string): boolean {
    return this.#ids.includes(id);
  }

  toggle(id: string): void {
    this.#anchor = id;
    this.#ids = toggled(this.#ids, id);
  }

  /** Ticks every line from the last one touched to this one; without one, this one. */
  extend(id: string, order: readonly string[]): void {
    const [from, to] = [order.indexOf(this.#anchor ?? id), order.indexOf(id)];
    if (from < 0 || to < 0) return this.toggle(id);
    const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.#ids = [...this.#ids, ...range.filter((one) => !this.has(one))];
    this.#anchor = id;
  }

  /** Ticks all of them; where all are ticked, none. */
  toggleAll(ids: readonly string[]): void {
    const rest = this.#ids.filter((id) => !ids.includes(id));
    this.#ids = this.count(ids) === ids.length ? rest : [...rest, ...ids];
  }

  /** How many of these are ticked. */
  count(ids: readonly string[]): number {
    return ids.filter((id) => this.has(id)).length;
  }

  /** Forgets what is no longer there to be ticked. */
  keep(ids: readonly string[]): void {
    const kept = this.#ids.filter((id) => ids.includes(id));
    if (kept.length < this.#ids.length) this.#ids = kept;
  }

  clear(): void {
    this.#ids = [];
    this.#anchor = undefined;
  }
}
