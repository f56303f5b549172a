// The whole activity: newest at the top, older pages below as they are asked for.

import type { Activity, DeskApi } from "../../data/desk-api.ts";

export class Feed {
  readonly #api: DeskApi;
  items = $state.raw<readonly Activity[]>([]);
  loaded = $state(false);
  busy = $state(false);
  error = $state.raw<unknown>(undefined);
  #next = $state<number | undefined>(undefined);

  constructor(api: DeskApi) {
    this.#api = api;
  }

  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  /** Puts what came since on top; what was loaded below stays, unless so much came that there is a gap. */
  async newest(): Promise<void> {
    await this.#asking(async () => {
      const page = await this.#api.activity(undefined);
      const oldestNew = page.items.at(-1)?.seq ?? 0;
      const known = this.items.findIndex((item) => item.seq <= oldestNew);
      const joins = known >= 0 && this.items[0] !== undefined && this.items[0].seq >= oldestNew;
      if (!joins) this.#next = page.next;
      this.items = joins ? [...page.items, ...this.items.filter((item) => item.seq < oldestNew)] : page.items;
      this.loaded = true;
    });
  }

  async older(): Promise<void> {
    const before = this.#next;
    if (before === undefined) return;
    await this.#asking(async () => {
      const page = await this.#api.activity(before);
      this.items = [...this.items, ...page.items];
      this.#next = page.next;
    });
  }

  /** One question at a time: two answers could be put together wrongly. */
  async #asking(ask: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await ask();
      this.error = undefined;
    } catch (error) {
      this.error = error;
    } finally {
      this.busy = false;
    }
  }
}
