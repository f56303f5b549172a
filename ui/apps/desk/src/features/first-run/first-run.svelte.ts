// The first start on an empty folder: who you are, which show it is, and how to begin. It can be left and taken up again.

import { newId } from "@showdesk/sync/ids";

import type { DemoSize, Overview, Row } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText, sentence } from "../../data/error-text.ts";
import { frame } from "../../text/frame-words.ts";
import { at, textAt } from "../../text/json.ts";

export const STEPS = ["name", "show", "begin"] as const;
export type Step = (typeof STEPS)[number];
export type Unit = "lb" | "kg";

const KEY = "showdesk.first-run";
const DONE = "done";
/** What the desk calls its person before anybody has said a name. */
const NAMELESS = "Desk";

/** Whether the show was never begun: nothing in it, and these questions not yet answered to the end. */
export function isFirstRun(overview: Overview): boolean {
  const stored = localStorage.getItem(KEY);
  if (stored === DONE) return false;
  return overview.first_run || (stored === "begin" && isEmpty(overview));
}

function isEmpty(overview: Overview): boolean {
  return overview.exhibitors + overview.animals + overview.entries === 0;
}

export class FirstRun {
  readonly #desk: Desk;
  step = $state<Step>(storedStep());
  person = $state("");
  name = $state("");
  venue = $state("");
  startsOn = $state("");
  endsOn = $state("");
  timezone = $state("");
  unit = $state<Unit>("lb");
  busy = $state(false);
  /** Why the last step was not kept. */
  problem = $state<string | undefined>(undefined);

  constructor(desk: Desk, overview: Overview) {
    this.#desk = desk;
    const { show, person } = overview;
    this.person = person.name === NAMELESS ? "" : person.name;
    this.name = overview.first_run ? "" : (textAt(show, "name") ?? "");
    this.venue = textAt(show, "venue") ?? "";
    this.startsOn = textAt(show, "starts_on") ?? "";
    this.endsOn = textAt(show, "ends_on") ?? "";
    this.timezone = textAt(show, "timezone") ?? "UTC";
    this.unit = textAt(show, "weight_unit") === "kg" ? "kg" : "lb";
  }

  back(): void {
    this.problem = undefined;
    this.#go(STEPS[STEPS.indexOf(this.step) - 1] ?? "name");
  }

  async keepName(): Promise<void> {
    const name = this.person.trim();
    if (name === "") {
      this.problem = frame.welcome.nameMissing;
      return;
    }
    await this.#keep(async () => {
      await this.#desk.api.setPerson(name);
      await this.#desk.overview.refresh();
      this.#go("show");
    });
  }

  async keepShow(): Promise<void> {
    this.problem = this.#wrongShow();
    if (this.problem !== undefined) return;
    await this.#keep(async () => {
      const refused = await this.#writeShow();
      await this.#desk.overview.refresh();
      this.problem = refused;
      if (refused === undefined) this.#go("begin");
    });
  }

  /** Fills the show with invented people and animals; true when they are there. */
  async tryDemo(size: DemoSize): Promise<boolean> {
    return this.#keep(async () => {
      await this.#desk.api.fillDemo(size);
      this.finish();
      await this.#desk.overview.refresh();
    });
  }

  /** These questions do not come again. */
  finish(): void {
    localStorage.setItem(KEY, DONE);
  }

  #wrongShow(): string | undefined {
    if (this.name.trim() === "") return frame.welcome.showMissing;
    if (this.startsOn !== "" && this.endsOn !== "" && this.endsOn < this.startsOn) return frame.welcome.datesTurned;
    return undefined;
  }

  /** Writes what is other than it was; answers why it was refused. */
  async #writeShow(): Promise<string | undefined> {
    const show = this.#desk.overview.data?.show ?? {};
    const wanted: Row = {
      name: this.name.trim(),
      venue: this.venue.trim() || null,
      starts_on: this.startsOn || null,
      ends_on: this.endsOn || this.startsOn || null,
      timezone: this.timezone,
      weight_unit: this.unit,
    };
    const changed = Object.keys(wanted).filter((field) => wanted[field] !== (at(show, field) ?? null));
    if (changed.length === 0) return undefined;
    const only = (row: Row) => Object.fromEntries(changed.map((field) => [field, row[field] ?? null]));
    const written = await this.#desk.api.write({
      op_id: newId(),
      table: "shows",
      id: textAt(show, "id") ?? "",
      operation: "update",
      base_version: Number(at(show, "version") ?? 0),
      data: only(wanted),
      base: only(show),
    });
    return written.verdict === "refused" ? sentence(written.error.detail) : undefined;
  }

  async #keep(keep: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = undefined;
    try {
      await keep();
      return true;
    } catch (error) {
      this.problem = errorText(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  #go(step: Step): void {
    this.step = step;
    localStorage.setItem(KEY, step);
  }
}

function storedStep(): Step {
  return STEPS.find((step) => step === localStorage.getItem(KEY)) ?? "name";
}
