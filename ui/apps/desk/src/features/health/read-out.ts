// What a chart says at one step: read from the drawing's own points. Pure.

/** The values of a drawing with their places, in its own pixels. */
export interface Points {
  /** Left, top, width and height of the plot. */
  plot: readonly [number, number, number, number];
  /** Where each step stands. */
  x: readonly number[];
  /** What each step is called. */
  times: readonly string[];
  series: readonly PointSeries[];
}

export interface PointSeries {
  name: string;
  /** The CSS variable of its colour. */
  colour: string;
  /** In words; null where nothing was measured. */
  values: readonly (string | null)[];
  /** Where its mark stands; none for columns and cells. */
  y: readonly (number | null)[];
}

/** A step, and in a heat map the line of it. */
export interface Place {
  step: number;
  row: number;
}

/** Reads `data-points`; nothing if it is not what it should be. */
export function parsePoints(text: string | null): Points | undefined {
  try {
    const found = JSON.parse(text ?? "") as Partial<Points>;
    const { plot, x, times, series } = found;
    if (plot?.length !== 4 || !x?.length || times?.length !== x.length || series === undefined) return undefined;
    return { plot, x, times, series: series.map((one) => ({ ...one, y: one.y ?? [] })) };
  } catch {
    return undefined;
  }
}

/** The step that stands nearest. */
export function nearestStep({ x }: Pick<Points, "x">, at: number): number {
  let [low, high] = [0, x.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) <= at) low = middle;
    else high = middle;
  }
  return at - (x[low] ?? 0) <= (x[high] ?? 0) - at ? low : high;
}

/** The line of a heat map at a height. */
export function rowAt({ plot, series }: Pick<Points, "plot" | "series">, y: number): number {
  const line = plot[3] / Math.max(1, series.length);
  return Math.max(0, Math.min(series.length - 1, Math.floor((y - plot[1]) / line)));
}

/** Where a key leads; undefined for keys that mean something else. */
export function moved({ x, series }: Points, from: Place, key: string, isHeat: boolean): Place | undefined {
  const last = x.length - 1;
  const to = (step: number): Place => ({ step: Math.max(0, Math.min(last, step)), row: from.row });
  const line = (row: number): Place => ({ ...from, row: Math.max(0, Math.min(series.length - 1, row)) });
  const page = Math.max(1, Math.round(x.length / 10));
  switch (key) {
    case "ArrowLeft":
      return to(from.step - 1);
    case "ArrowRight":
      return to(from.step + 1);
    case "ArrowUp":
      return isHeat ? line(from.row - 1) : to(from.step + 1);
    case "ArrowDown":
      return isHeat ? line(from.row + 1) : to(from.step - 1);
    case "PageUp":
      return to(from.step + page);
    case "PageDown":
      return to(from.step - page);
    case "Home":
      return to(0);
    case "End":
      return to(last);
    default:
      return undefined;
  }
}

/** A line of the read-out. */
export interface Said {
  name: string;
  colour: string;
  value: string | undefined;
  y: number | undefined;
}

/** What is said at a place: all series of the step, or the one line of a heat map. */
export function saidAt({ series }: Points, { step, row }: Place, isHeat: boolean): Said[] {
  return series.flatMap((one, index) => {
    if (isHeat && index !== row) return [];
    const { name, colour } = one;
    return [{ name, colour, value: one.values[step] ?? undefined, y: one.y[step] ?? undefined }];
  });
}

/** The last step of which anything is known: where the keys begin. */
export function lastKnown({ x, series }: Points): number {
  for (let step = x.length - 1; step > 0; step -= 1) {
    if (series.some(({ values }) => typeof values[step] === "string")) return step;
  }
  return x.length - 1;
}
