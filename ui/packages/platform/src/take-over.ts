// The one word between a page and its worker, in a file that both can read.

/** The page is idle: the worker that waits may take it over. */
export const TAKE_OVER = "take-over";
