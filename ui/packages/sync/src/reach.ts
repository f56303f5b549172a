// Where the laptop is: its address changes at a show, its installation does not.

import { ApiProblem, Unreachable } from "@showdesk/api";

import type { Store } from "./store.ts";
import type { Ping } from "./wire.ts";

/** Addresses tried in one round at most. */
const TRIED_MAX = 6;

/** Finds the laptop among the addresses it has told. */
export class Reach {
  readonly #home: string;
  readonly #ask: (address: string) => Promise<Ping>;
  #address: string;

  /** `home` is where the page came from; `ask` pings an address and shows nobody the token. */
  constructor(home: string, ask: (address: string) => Promise<Ping>) {
    this.#home = home;
    this.#ask = ask;
    this.#address = home;
  }

  /** Where the laptop last answered. */
  get address(): string {
    return this.#address;
  }

  /** Where the laptop answers, if that is not where the page came from any more. */
  get movedTo(): string | null {
    return this.#address === this.#home ? null : this.#address;
  }

  /** Asks the known addresses in turn; only this installation counts. Fails as the first of them failed. */
  async find(store: Store, installationId: string): Promise<Ping> {
    const told = (await store.fact("addresses")) ?? [];
    let first: unknown;
    for (const address of [...new Set([this.#address, this.#home, ...told])].slice(0, TRIED_MAX)) {
      const who = await this.#try(address, installationId);
      if (who instanceof Error) {
        first ??= who;
        continue;
      }
      this.#address = address;
      await remember(store, told, who.addresses);
      return who;
    }
    throw first;
  }

  async #try(address: string, installationId: string): Promise<Ping | Error> {
    try {
      const who = await this.#ask(address);
      return who.installation_id === installationId ? who : new Unreachable("other_installation");
    } catch (error) {
      if (error instanceof Unreachable || error instanceof ApiProblem) return error;
      throw error;
    }
  }
}

async function remember(store: Store, known: readonly string[], addresses: readonly string[]): Promise<void> {
  const usable = addresses.filter((address) => /^https?:\/\/[^/?#\s]+$/.test(address));
  if (usable.length === 0 || usable.join() === known.join()) return;
  await store.setFact("addresses", usable);
}
