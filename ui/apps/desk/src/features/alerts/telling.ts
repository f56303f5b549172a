// Says at the open desk what was told: the newest of it as a short message, the rest stands at the bell.

import type { AlertEvent, AlertRule } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { words } from "../../text/words.ts";
import { ruleAddress } from "../health/address.ts";

/** More than these are not told between two looks. */
const EVENTS_MAX = 10;

export class AlertTelling {
  readonly #desk: Desk;
  /** What was told before this page looked the first time is no news. */
  #seen: ReadonlySet<string> | undefined;
  #running = false;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Looks whether anything was told since the last look. */
  async look(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      const { items } = await this.#desk.api.alertEvents(undefined, EVENTS_MAX);
      const news = this.#seen === undefined ? [] : items.filter(({ id }) => this.#seen?.has(id) === false);
      this.#seen = new Set(items.map(({ id }) => id));
      const loud = news.filter((event) => isSaidHere(event, this.#desk.alerts.data ?? []));
      const [said] = loud.sort((a, b) => Number(isUrgent(b)) - Number(isUrgent(a)));
      if (said !== undefined) this.#say(said);
    } catch {
      // The bell and the page say it, too; the next look tells what is new then.
    } finally {
      this.#running = false;
    }
  }

  #say(event: AlertEvent): void {
    const text = event.detail === "" ? event.headline : `${event.headline}: ${event.detail}`;
    const run = () => this.#desk.router.go(ruleAddress(event.rule));
    const action = { label: words.overview.lookAt, run };
    this.#desk.toasts.show({ text, tone: isUrgent(event) ? "bad" : "plain", action });
  }
}

/** Entries may be lost. */
function isUrgent(event: AlertEvent): boolean {
  return event.severity === "critical" && event.kind !== "resolved";
}

function isSaidHere(event: AlertEvent, rules: readonly AlertRule[]): boolean {
  const sinks = rules.find(({ rule }) => rule.id === event.rule)?.rule.sinks;
  return !event.quiet && (sinks === undefined || sinks.includes("stream"));
}
