// Leaving this page for the one that the phone goes on with: once at a time, and only with nothing left behind.

import type { MovedOn } from "@showdesk/sync";

import type { Phone } from "../../phone.svelte.ts";

/** The state of the button that leaves. */
export class Leaving {
  /** On its way; it stays so when the way was found, because the page is about to go. */
  isBusy = $state(false);
  hasFailed = $state(false);
  readonly #phone: Phone;

  constructor(phone: Phone) {
    this.#phone = phone;
  }

  /** Asks for the address of the other page and gives it to `onway`. */
  async find(to: MovedOn, onway: (address: string) => void): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.hasFailed = false;
    try {
      // Needs the laptop, so it is not on the first load.
      const { wayTo } = await import("./way.ts");
      onway(await wayTo(this.#phone, to));
    } catch {
      // An entry that came in between is counted beside the button by itself.
      this.hasFailed = this.#phone.status.waiting === 0;
      this.isBusy = false;
    }
  }

  /** The button may be pressed again: what was opened has been closed. */
  back(): void {
    this.isBusy = false;
  }
}
