// What the desk sends by itself, and when far phones are left alone. Each choice is saved as it is made, and by itself:
// another window may have made others.

import type { Automatic, AutomaticChange, AutomaticItem } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { Resource } from "../../data/resource.svelte.ts";
import { words } from "../../text/words.ts";

const text = words.messages.automatic;
const MINUTES_MAX = 240;

/** A choice that somebody made: what is other by it, given what is there. */
interface Choice {
  change: (kept: Automatic) => AutomaticChange;
  says: string;
}

export class AutomaticChoices {
  readonly #desk: Desk;
  readonly kept: Resource<Automatic>;
  /** Made, and not yet answered. */
  #waiting = $state.raw<readonly Choice[]>([]);
  #last: Promise<void> = Promise.resolve();

  constructor(desk: Desk) {
    this.#desk = desk;
    this.kept = new Resource(() => desk.api.automatic());
    void this.kept.refresh();
  }

  /** As the desk has it, and on it what waits for its answer. */
  get shown(): Automatic | undefined {
    const { data } = this.kept;
    return data && this.#waiting.reduce((now, { change }) => changed(now, change(now)), data);
  }

  turn({ key }: AutomaticItem, on: boolean): void {
    this.#make(
      withItem(key, () => ({ on })),
      text.turned(labelOf(key), on),
    );
  }

  /** Answers why it cannot be. */
  setMinutes({ key, minutes: before }: AutomaticItem, typed: string): string | undefined {
    const minutes = /^\d{1,3}$/.test(typed.trim()) ? Number(typed) : 0;
    if (minutes < 1 || minutes > MINUTES_MAX) return text.notMinutes;
    if (minutes !== before)
      this.#make(
        withItem(key, () => ({ minutes })),
        text.saved,
      );
    return undefined;
  }

  /** When a department's weigh-in closes; undefined: that is not known. */
  setClosing({ key }: AutomaticItem, department: string, at: string | undefined): void {
    const change = withItem(key, ({ closes = [] }) => {
      const others = closes.filter((closing) => closing.department !== department);
      return { closes: at === undefined ? others : [...others, { department, at }] };
    });
    this.#make(change, text.saved);
  }

  /** Undefined ends the quiet hours. */
  setQuiet(quiet: Automatic["quiet"]): void {
    const says = quiet === undefined ? text.quietOff : text.quietSaid(quiet.from, quiet.to);
    this.#make(() => ({ quiet: quiet ?? null }), says);
  }

  #make(change: Choice["change"], says: string): void {
    const choice = { change, says };
    this.#waiting = [...this.#waiting, choice];
    this.#last = this.#last.then(() => this.#save(choice));
  }

  async #save(choice: Choice): Promise<void> {
    const { api, toasts } = this.#desk;
    const { data } = this.kept;
    try {
      // Made when its turn comes: one that the desk refused is not in it.
      if (data !== undefined) this.kept.data = await api.setAutomatic(choice.change(data));
      toasts.show({ text: choice.says, tone: "plain" });
    } catch (error) {
      toasts.show({ text: words.settings.notSaved(errorText(error)), tone: "bad" });
    }
    this.#waiting = this.#waiting.filter((other) => other !== choice);
    // What was asked before this was saved may come after it.
    void this.kept.refresh();
  }
}

/** One kind is other; the others are not named. */
function withItem(key: string, part: (item: AutomaticItem) => Partial<AutomaticItem>): Choice["change"] {
  return ({ items }) => ({ items: items.flatMap((item) => (item.key === key ? [{ ...item, ...part(item) }] : [])) });
}

function changed(now: Automatic, { items = [], quiet }: AutomaticChange): Automatic {
  return {
    items: now.items.map((item) => items.find(({ key }) => key === item.key) ?? item),
    quiet: quiet === undefined ? now.quiet : (quiet ?? undefined),
  };
}

export function labelOf(key: string): string {
  return text.items[key]?.[0] ?? sentence(text.other(key));
}

export function noteOf(key: string): string {
  return text.items[key]?.[1] ?? "";
}

function sentence(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
