// What Charts & health shows. Charts are drawn for the width they stand in, and again when that changes.

import type { Chart, ChartView } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { Resource } from "../../data/resource.svelte.ts";

/** Figures come a step at a time: asking more often shows nothing new. */
const REDRAW_MS = 30_000;
/** A window that is being resized is drawn for once it stands. */
const RESIZE_MS = 200;
/** As a tile is drawn where nothing has a size. */
const TILE_PX = 502;
/** The narrowest and the widest drawing. */
const WIDTH_MIN = 280;
const WIDTH_MAX = 1400;
/** From here on two tiles stand beside each other, and from there on three lists. */
const TWO_PX = 640;
const THREE_PX = 900;
const GAP_PX = 16;
/** Both edges of a tile. */
const EDGES_PX = 2;

export class Health {
  readonly #desk: Desk;
  view = $state.raw<ChartView>({ range: "today", compare: false });
  /** Pixels that the tiles have together. */
  #room = $state(0);
  /** The drawings are those of another width. */
  isFitting = $state(false);
  #drawnAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly charts = new Resource(() => this.#desk.api.charts(this.view, this.tileWidth));
  readonly problems = new Resource(() => this.#desk.api.problems({ status: "open" }, undefined));
  readonly events = new Resource(() => this.#desk.api.alertEvents(undefined, EVENTS_ITEMS));
  readonly cache = new Resource(() => this.#desk.api.cache());
  readonly recording = new Resource(() => this.#desk.api.recording());

  readonly columns = $derived(this.#room === 0 || this.#room >= TWO_PX ? 2 : 1);
  readonly lists = $derived(
    this.#room === 0 || this.#room >= THREE_PX ? "three" : this.columns === 2 ? ("two" as const) : ("one" as const),
  );

  /** A drawing fills its tile. */
  readonly tileWidth = $derived.by(() => {
    if (this.#room === 0) return TILE_PX;
    const tile = (this.#room - GAP_PX * (this.columns - 1)) / this.columns;
    return Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, Math.floor(tile) - EDGES_PX));
  });

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Follows what happens until the returned function is called. */
  start(): () => void {
    this.#refreshLists();
    const off = this.#desk.live.on((wake) => {
      if (wake === "errors") void this.problems.refresh();
      if (wake === "alerts") void this.events.refresh();
      if (wake === "poke" && Date.now() - this.#drawnAt >= REDRAW_MS && document.visibilityState === "visible") {
        this.draw();
        this.#refreshLists();
      }
    });
    return () => {
      off();
      clearTimeout(this.#timer);
    };
  }

  /** Whether the charts were asked for. */
  get isDrawn(): boolean {
    return this.#drawnAt > 0;
  }

  /** Draws what is in view. */
  draw(): void {
    this.#drawnAt = Date.now();
    void this.charts.refresh();
  }

  look(view: ChartView): void {
    this.view = view;
    this.draw();
  }

  /** The tiles have so much room now. */
  fit(room: number): void {
    if (room === this.#room || room === 0) return;
    const before = this.tileWidth;
    this.#room = room;
    if (this.#drawnAt === 0 || this.tileWidth === before) return;
    clearTimeout(this.#timer);
    this.isFitting = true;
    this.#timer = setTimeout(() => {
      this.draw();
      // The same question: it is asked once.
      void this.charts.settled().then(() => (this.isFitting = false));
    }, RESIZE_MS);
  }

  #refreshLists(): void {
    for (const list of [this.problems, this.events, this.cache, this.recording]) void list.refresh();
  }
}

/** What was told lately: a screen of it. */
const EVENTS_ITEMS = 50;

/** The charts of the first screen; the others stand below the lists. */
const FIRST: readonly string[] = ["response-time", "entries-in", "phones", "slow-spots"];

/** The charts that are seen first, in their order, and the others. */
export function splitCharts(charts: readonly Chart[]): { first: Chart[]; others: Chart[] } {
  const first = FIRST.flatMap((key) => charts.filter((chart) => chart.key === key));
  return { first, others: charts.filter(({ key }) => !FIRST.includes(key)) };
}
