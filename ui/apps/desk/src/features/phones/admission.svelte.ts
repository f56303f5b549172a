// Lets phones in, or not, and says so.

import { SvelteSet } from "svelte/reactivity";

import type { Approval, WaitingPairing } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { listed, words } from "../../text/words.ts";

export class Admission {
  readonly #desk: Desk;
  readonly busy = new SvelteSet<string>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Answers what went wrong, in words; undefined when the phone was let in. */
  allow(request: WaitingPairing, approval: Approval = {}): Promise<string | undefined> {
    const name = approval.name ?? request.device_name;
    return this.#answer(
      request,
      () => this.#desk.api.approve(request.pairing_id, approval),
      words.connect.allowed(name),
    );
  }

  refuse(request: WaitingPairing): Promise<string | undefined> {
    const done = words.connect.refused(request.device_name);
    return this.#answer(request, () => this.#desk.api.refuse(request.pairing_id), done);
  }

  async #answer(request: WaitingPairing, answer: () => Promise<void>, done: string): Promise<string | undefined> {
    const { toasts, requests, devices } = this.#desk;
    this.busy.add(request.pairing_id);
    try {
      await answer();
      toasts.show({ text: done, tone: "plain" });
      return undefined;
    } catch (error) {
      return errorText(error);
    } finally {
      await Promise.all([requests.refresh(), devices.refresh()]);
      this.busy.delete(request.pairing_id);
    }
  }
}

/** `Gate and scale, Android`: what a phone asks for, and what it is. */
export function wantedText(request: WaitingPairing): string {
  const jobs = listed(request.functions.map(words.job));
  return words.people.asking.wants(jobs, request.platform ? words.connect.platform(request.platform) : "");
}
