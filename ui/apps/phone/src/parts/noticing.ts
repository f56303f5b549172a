// What the page notices of itself, until a later part takes it: what failed, and how long things took.

/** One thing noticed. */
export type Sight =
  | { readonly kind: "failed"; readonly error: unknown; readonly atMs: number }
  | {
      readonly kind: "took";
      readonly what: "start" | "save" | "search" | "sync";
      readonly tookMs: number;
      readonly status: number;
      readonly atMs: number;
    };

/** What is remembered until somebody takes it; the oldest make room. */
const EARLY_MAX = 50;

const early: Sight[] = [];
let take = (sight: Sight): void => {
  early.push(sight);
  if (early.length > EARLY_MAX) early.shift();
};

/** Something failed that should not. */
export function failed(error: unknown): void {
  take({ kind: "failed", error, atMs: Date.now() });
}

/** Something is done that began at `began` of `performance.now()`. */
export function took(what: "start" | "save" | "search" | "sync", began: number, status = 200): void {
  take({ kind: "took", what, tookMs: performance.now() - began, status, atMs: Date.now() });
}

/** From now on `listener` takes all, beginning with what was remembered. */
export function onNoticed(listener: (sight: Sight) => void): void {
  take = listener;
  early.splice(0).forEach(listener);
}

/** Notices what nobody catches. */
export function noticeFailures(): void {
  addEventListener("error", ({ error, message }) => failed(error ?? message));
  addEventListener("unhandledrejection", ({ reason }) => failed(reason));
}
