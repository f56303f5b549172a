// How long to wait before the next try, so that a hundred phones that lost the desk do not all come back at once.

/** How waiting grows. */
export interface Backoff {
  /** Upper bound of the first wait. */
  readonly firstMs: number;
  /** Upper bound of any wait. */
  readonly mostMs: number;
}

const DOUBLINGS_MAX = 16;

/** A wait with full jitter: anything between nothing and a bound that doubles with each failed try. */
export function backoffMs(failures: number, backoff: Backoff, random: () => number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), DOUBLINGS_MAX);
  return Math.round(random() * Math.min(backoff.mostMs, backoff.firstMs * 2 ** doublings));
}
