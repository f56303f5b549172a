// Which rows of a long list are drawn, and where a key leads in it. Pure.

/** Every row is this high; the table's style says the same. */
export const ROW_PX = 36;
/** Rows drawn above and below what is seen, so that a key or a turn of the wheel finds them there. */
const SPARE_ROWS = 12;

/** Rows from `first` up to but not including `end`. */
export interface Span {
  first: number;
  end: number;
}

/** The rows to draw for a scroll position. */
export function rowsInSight(scrollTop: number, height: number, total: number): Span {
  const first = Math.floor(Math.max(0, scrollTop) / ROW_PX) - SPARE_ROWS;
  const end = Math.ceil((Math.max(0, scrollTop) + height) / ROW_PX) + SPARE_ROWS;
  // A list that became shorter than the scroll position is drawn from its end.
  const last = Math.min(total, Math.max(0, end));
  return { first: Math.max(0, Math.min(first, last)), end: last };
}

/** Where to scroll so that a row stands wholly between the head and the lower edge; unchanged if it does. */
export function scrolledTo(row: number, scrollTop: number, height: number): number {
  const top = row * ROW_PX;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + ROW_PX - height);
}

/** The row a key leads to; undefined for other keys. */
export function rowAfterKey(key: string, row: number | undefined, height: number, total: number): number | undefined {
  if (total === 0) return undefined;
  const page = Math.max(1, Math.floor(height / ROW_PX) - 1);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -total,
    End: total,
  };
  const step = steps[key];
  if (step === undefined) return undefined;
  if (row === undefined) return step > 1 && key === "End" ? total - 1 : 0;
  return Math.min(total - 1, Math.max(0, row + step));
}
