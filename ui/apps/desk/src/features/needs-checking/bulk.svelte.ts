// Deciding many clashes together: the rule, what starts left out, and what the server says each would become.

import type { BulkAnswer, BulkResolve, BulkResult, ConflictView } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText, sentence } from "../../data/error-text.ts";
import { randomId } from "../../data/random-id.ts";
import { changeText, columns, doubt, resultText, sideUnder, type BulkSide, type Rule } from "./bulk.ts";
import { toggled } from "./toggled.ts";

/** One line of the preview. */
export interface BulkLine {
  view: ConflictView;
  columns: ReturnType<typeof columns>;
  included: boolean;
  /** It cannot be decided under this rule. */
  impossible: boolean;
  result: string;
  change: string;
  /** Why it is left out. */
  why: string;
}

type Sides = readonly { view: ConflictView; side: BulkSide }[];

export class Bulk {
  readonly views: readonly ConflictView[];
  readonly #desk: Desk;
  rule = $state<Rule | undefined>(undefined);
  error = $state<string | undefined>(undefined);
  saving = $state(false);
  /** Left out, by the page at the start and then by the person. */
  #out = $state.raw<readonly string[]>([]);
  #results = $state.raw<Readonly<Record<string, BulkResult>>>({});
  /** Whether the results belong to the rule that is picked. */
  ready = $state(false);
  #round = 0;
  #key = randomId();

  constructor(desk: Desk, views: readonly ConflictView[]) {
    this.#desk = desk;
    this.views = views;
    this.#out = views.filter((view) => doubt(view, desk.show) !== undefined).map((view) => view.id);
  }

  readonly lines: readonly BulkLine[] = $derived.by(() => this.views.map((view) => this.#line(view)));
  readonly decided = $derived(this.lines.filter((line) => line.included));

  #line(view: ConflictView): BulkLine {
    const { show } = this.#desk;
    const shown = { view, columns: columns(view, show), result: "", change: "" };
    const under = this.rule === undefined ? undefined : sideUnder(view, this.rule);
    const result = this.ready ? this.#results[view.id] : undefined;
    if (under !== undefined && "without" in under) {
      return { ...shown, included: false, impossible: true, why: under.without };
    }
    if (result?.outcome === "failed") {
      return { ...shown, included: false, impossible: true, why: sentence(result.error?.detail ?? "") };
    }
    const included = !this.#out.includes(view.id);
    const why = included ? "" : (doubt(view, show) ?? "");
    if (!included || result === undefined || under === undefined) {
      return { ...shown, included, impossible: false, why };
    }
    return {
      ...shown,
      included,
      impossible: false,
      result: resultText(view, result, under.side, show),
      change: changeText(view, result, show),
      why,
    };
  }

  pick(rule: Rule): void {
    this.rule = rule;
    void this.#preview();
  }

  toggle(id: string): void {
    this.#out = toggled(this.#out, id);
    if (this.rule !== undefined) void this.#preview();
  }

  /** Takes all in, or leaves all out. */
  toggleAll(): void {
    const possible = this.lines.filter((line) => !line.impossible);
    const all = possible.every((line) => line.included);
    this.#out = all ? possible.map((line) => line.view.id) : [];
    if (this.rule !== undefined) void this.#preview();
  }

  /** Asks what would be written; an older answer does not take the place of a newer question's. */
  async #preview(): Promise<void> {
    const round = ++this.#round;
    this.ready = false;
    this.error = undefined;
    this.#key = randomId();
    const request = this.#request(this.#sides());
    if (request === undefined) {
      this.#results = {};
      this.ready = true;
      return;
    }
    try {
      const answer = await this.#desk.api.previewBulk(request);
      if (round !== this.#round) return;
      this.#results = Object.fromEntries(answer.results.map((result) => [result.id, result]));
      this.ready = true;
    } catch (error) {
      if (round === this.#round) this.error = errorText(error);
    }
  }

  /** Whose value each takes that is not left out. */
  #sides(): Sides {
    const { rule } = this;
    if (rule === undefined) return [];
    return this.views.flatMap((view) => {
      const under = sideUnder(view, rule);
      return "side" in under && !this.#out.includes(view.id) ? [{ view, side: under.side }] : [];
    });
  }

  #request(sides: Sides): BulkResolve | undefined {
    if (sides.length === 0) return undefined;
    const most = this.rule === "laptop" ? "laptop" : "phone";
    const others = sides.filter(({ side }) => side !== most);
    return {
      resolution: RESOLUTION[most],
      ids: sides.map(({ view }) => view.id),
      expected: Object.fromEntries(sides.map(({ view }) => [view.id, view.server_version])),
      ...(others.length > 0 && {
        choices: Object.fromEntries(others.map(({ view, side }) => [view.id, RESOLUTION[side]])),
      }),
    };
  }

  /** Writes what the preview shows. */
  async save(): Promise<BulkAnswer | undefined> {
    if (!this.ready || this.saving) return undefined;
    const wanted = this.decided.map((line) => line.view.id);
    const request = this.#request(this.#sides().filter(({ view }) => wanted.includes(view.id)));
    if (request === undefined) return undefined;
    this.saving = true;
    this.error = undefined;
    try {
      return await this.#desk.api.resolveBulk({ ...request, idempotency_key: this.#key });
    } catch (error) {
      this.error = errorText(error);
      return undefined;
    } finally {
      this.saving = false;
    }
  }
}

const RESOLUTION = { phone: "client_wins", laptop: "server_wins" } as const;
