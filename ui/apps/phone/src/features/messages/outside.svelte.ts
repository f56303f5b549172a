// Messages outside the page: whether this phone may show them, and the address that the desk pushes to when it is closed.

import { answer, backoffMs, type Api, type Backoff } from "@showdesk/api";
import type { Preferences } from "@showdesk/platform";
import {
  askForMessages,
  messagesLeave,
  subscribe,
  unsubscribe,
  type MessagesLeave,
} from "@showdesk/platform/subscription";
import type { Store } from "@showdesk/sync";

/** The desk's key changes seldom; it is looked at again after this. */
const LOOK_MS = 3_600_000;
/** A show without internet stays so for long: after a failure it is tried again so much later, and each time later. */
const AGAIN_MS: Backoff = { firstMs: 60_000, mostMs: 15 * 60_000 };
const SWITCH = "messages-outside";
const DECLINED = "messages-offer";

/** What is around it. */
export interface Around {
  readonly api: Api;
  readonly store: Store;
  readonly preferences: Preferences;
  readonly now: () => number;
  /** The browser's part; tests pass their own. */
  readonly browser?: Browser;
}

/** What is asked of the browser. */
export interface Browser {
  readonly leave: () => MessagesLeave;
  readonly ask: () => Promise<MessagesLeave>;
  readonly subscribe: typeof subscribe;
  readonly unsubscribe: () => Promise<void>;
}

/**
 * How the desk reaches a closed page.
 * - unknown: not looked at yet
 * - on: it has this phone's address
 * - no_key: the desk has not set it up
 * - failed: this phone has no way to a push service now
 */
export type Reach = "unknown" | "on" | "no_key" | "failed";

/** Messages outside this page. */
export class Outside {
  readonly #around: Around;
  readonly #browser: Browser;
  #leave = $state<MessagesLeave>("none");
  #reach = $state<Reach>("unknown");
  #isOff = $state(false);
  #isDeclined = $state(false);
  /** Before this it is not looked at again, unless somebody asks for it. */
  #restsUntilMs = 0;
  #failures = 0;

  constructor(around: Around) {
    this.#around = around;
    this.#browser = around.browser ?? {
      leave: messagesLeave,
      ask: askForMessages,
      subscribe,
      unsubscribe: () => unsubscribe(),
    };
    this.#isOff = around.preferences.read(SWITCH) === "off";
    this.#isDeclined = around.preferences.read(DECLINED) === "no";
    this.#leave = this.#browser.leave();
  }

  /** What the person and the browser have said; switched off counts as not asked. */
  get leave(): MessagesLeave {
    return this.#leave === "granted" && this.#isOff ? "ask" : this.#leave;
  }

  get reach(): Reach {
    return this.#reach;
  }

  /** Whether to offer it without being asked: once, until the person has said something. */
  get isOffered(): boolean {
    return this.#leave === "ask" && !this.#isDeclined;
  }

  decline(): void {
    this.#isDeclined = true;
    this.#around.preferences.write(DECLINED, "no");
  }

  /** The person wants them: belongs to a tap. */
  async allow(): Promise<void> {
    this.#isOff = false;
    this.#around.preferences.write(SWITCH, "on");
    this.#leave = await this.#browser.ask();
    this.#restsUntilMs = 0;
    await this.look();
  }

  /** While the laptop is near: gives the desk this phone's address, anew if the desk's key is another. */
  async look(): Promise<void> {
    this.#leave = this.#browser.leave();
    if (this.leave !== "granted") return;
    const { now } = this.#around;
    if (now() < this.#restsUntilMs) return;
    this.#restsUntilMs = now() + LOOK_MS;
    try {
      this.#reach = await this.#give();
      this.#failures = 0;
    } catch {
      // No internet, or no push service: what comes by the show's Wi-Fi is not touched by it.
      this.#reach = "failed";
      this.#failures += 1;
      this.#restsUntilMs = now() + backoffMs(this.#failures, AGAIN_MS, () => 1);
    }
  }

  /** No more of them. Where the desk does not hear it now, its next try is refused by the push service. */
  async turnOff(): Promise<void> {
    this.#isOff = true;
    this.#around.preferences.write(SWITCH, "off");
    await this.end();
  }

  /** The phone leaves the show, or wants no more: nothing reaches it any longer. */
  async end(): Promise<void> {
    this.#reach = "unknown";
    this.#restsUntilMs = 0;
    this.#failures = 0;
    await this.#browser.unsubscribe().catch(() => undefined);
    await this.#takeBack().catch(() => undefined);
  }

  async #give(): Promise<Reach> {
    const { api, store } = this.#around;
    const key = answer(await api.GET("/api/v1/me/push-key")).web?.public_key ?? null;
    if (key === null) {
      await this.#takeBack();
      return "no_key";
    }
    const before = await store.fact("push");
    const { endpoint, p256dh, auth } = await this.#browser.subscribe(key);
    const body = { platform: "web", token: endpoint, p256dh, auth } as const;
    const { id } = answer(await api.PUT("/api/v1/me/push-tokens", { body }));
    await store.setFact("push", { id, endpoint, key });
    if (before !== undefined && before.id !== id) await this.#drop(before.id);
    return "on";
  }

  async #takeBack(): Promise<void> {
    const { store } = this.#around;
    const known = await store.fact("push");
    if (known === undefined) return;
    await this.#drop(known.id);
    await store.dropFact("push");
  }

  async #drop(id: string): Promise<void> {
    await this.#around.api.DELETE("/api/v1/me/push-tokens/{id}", { params: { path: { id } } });
  }
}
