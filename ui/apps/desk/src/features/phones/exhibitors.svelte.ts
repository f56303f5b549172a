// Finds exhibitors by name or number, for a viewer's pass. The desk searches animals: who shows them stands beside them.

import type { DeskApi } from "../../data/desk-api.ts";
import { exhibitorsIn, type Exhibitor } from "./exhibitor-hits.ts";

const TYPING_MS = 150;
const ROWS_ASKED = 100;

export class ExhibitorSearch {
  readonly #api: DeskApi;
  query = $state("");
  found = $state.raw<readonly Exhibitor[] | undefined>(undefined);
  failed = $state(false);
  /** Names that were seen, by id. */
  names = $state.raw<Readonly<Record<string, string>>>({});
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(api: DeskApi) {
    this.#api = api;
  }

  type(query: string): void {
    this.query = query;
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    if (query.trim() === "") {
      this.found = undefined;
      return;
    }
    this.#timer = setTimeout(() => void this.#ask(asked), TYPING_MS);
  }

  /** Learns what chosen exhibitors are called. */
  async learn(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.names[id] !== undefined) continue;
      const page = await this.#api.entries("", 0, 1, { exhibitor: id, rowsOnly: true }).catch(() => undefined);
      const row = page?.items[0];
      if (row !== undefined) this.names = { ...this.names, [id]: row.exhibitor };
    }
  }

  #ask = async (asked: number): Promise<void> => {
    const wanted = this.query.trim().toLowerCase();
    try {
      const page = await this.#api.entries(this.query.trim(), 0, ROWS_ASKED, { rowsOnly: true });
      if (asked !== this.#asked) return;
      this.found = exhibitorsIn(page.items, wanted);
      this.names = { ...this.names, ...Object.fromEntries(this.found.map(({ id, name }) => [id, name])) };
      this.failed = false;
    } catch {
      if (asked === this.#asked) this.failed = true;
    }
  };
}
