// The desk's messages as the screens see them, and what the person does with them. The inbox of the sync package keeps
// and tells; nothing is decided here but what counts as seen.

import { isAtLeast, type Inbox, type StoredNotice } from "@showdesk/sync";
import type { Attachment } from "svelte/attachments";
import { createSubscriber } from "svelte/reactivity";

import { sortNotices, type Sorted } from "./sorted.ts";

/** So much of a message must be in sight. */
const IN_SIGHT = 0.5;
/** The time is looked at again at least so often. */
const LOOK_MS = 60_000;
/** A desk that has not taken an answer within this may take long. */
const TAKEN_MS = 4_000;

/**
 * What became of an answer.
 * - told: the desk has it
 * - kept: it is on this phone, and on its way
 * - lost: this phone has no room to keep it
 */
export type Answered = "told" | "kept" | "lost";

/** Messages of this phone. */
export class Messages {
  readonly #inbox: Inbox;
  readonly #onInbox: () => void;
  #nowMs = $state(0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fresh = $state.raw<readonly string[]>([]);
  #answered = $state.raw<readonly string[]>([]);
  /** In sight, as far as the page is. */
  #inSight: readonly string[] = [];

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
    this.#onInbox = createSubscriber((update) => inbox.subscribe(update));
    inbox.subscribe(() => this.#look());
    document.addEventListener("visibilitychange", () => this.#see());
  }

  /** The time by the desk's clock, as it was when something last changed. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get sorted(): Sorted {
    this.#onInbox();
    return sortNotices(this.#inbox.items, { nowMs: this.#nowMs, fresh: this.#fresh, answered: this.#answered });
  }

  /** Called with what is new to the person, in the tab that heard it. */
  onArrived(listener: (arrived: readonly StoredNotice[]) => void): () => void {
    return this.#inbox.onArrived(listener);
  }

  /** A message that came by the phone's own internet. */
  hearEarly(told: unknown): void {
    this.#inbox.hearEarly(told);
  }

  /**
   * The person has confirmed it: the screen goes on at once, and the desk is told when it can be. A desk that is near
   * is waited for a little.
   */
  async confirm(id: string, isNear: boolean): Promise<Answered> {
    this.#answered = [...this.#answered, id];
    try {
      await this.#inbox.raise([id], "confirmed");
    } catch {
      // Nobody can work behind an alarm that does not end.
      return "lost";
    }
    return isNear && (await this.#isTold(id)) ? "told" : "kept";
  }

  /** While the list is open, what was new stays where it is: nobody reads a list that moves. */
  keepFresh(): () => void {
    const keep = () => {
      const { unread } = this.sorted;
      const more = unread.map(({ id }) => id).filter((id) => !this.#fresh.includes(id));
      if (more.length > 0) this.#fresh = [...this.#fresh, ...more];
    };
    keep();
    const stop = this.#inbox.subscribe(keep);
    return () => {
      stop();
      this.#fresh = [];
    };
  }

  /** Shows the message: it is seen once the element is in sight of somebody. */
  shows(id: string): Attachment {
    return (element) => {
      const set = (isInSight: boolean) => {
        const others = this.#inSight.filter((one) => one !== id);
        this.#inSight = isInSight ? [...others, id] : others;
        this.#see();
      };
      if (typeof IntersectionObserver === "undefined") {
        set(true);
        return () => set(false);
      }
      const observer = new IntersectionObserver((seen) => set(seen.at(-1)?.isIntersecting === true), {
        threshold: IN_SIGHT,
      });
      observer.observe(element);
      return () => {
        observer.disconnect();
        set(false);
      };
    };
  }

  /** Whether the desk acknowledges soon that it was confirmed. */
  #isTold(id: string): Promise<boolean> {
    return new Promise((resolve) => {
      const look = (isLast: boolean) => {
        const isTold = this.#inbox.items.some((one) => one.id === id && isAtLeast(one.told, "confirmed"));
        if (!isTold && !isLast) return;
        stop();
        clearTimeout(timer);
        resolve(isTold);
      };
      const stop = this.#inbox.subscribe(() => look(false));
      const timer = setTimeout(() => look(true), TAKEN_MS);
      look(false);
    });
  }

  #see(): void {
    if (document.visibilityState !== "visible" || this.#inSight.length === 0) return;
    this.#inbox.raise(this.#inSight, "seen").catch(() => undefined);
  }

  /** Messages end by themselves: the next end is waited for. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#nowMs = this.#inbox.nowMs;
    const ends = this.#inbox.items.map(({ expires_at }) => Date.parse(expires_at ?? "") - this.#nowMs);
    const next = Math.min(LOOK_MS, ...ends.filter((inMs) => inMs > 0));
    if (ends.some((inMs) => inMs > 0)) this.#timer = setTimeout(() => this.#look(), next);
  }
}
