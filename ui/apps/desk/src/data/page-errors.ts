// What goes wrong in this page is told to the desk, so that it stands under Problems: each kind once, and not many.
//
// It never tells of itself: a try that fails is kept and tried again later, silently.

import { ApiProblem, Unreachable } from "@showdesk/api";

import type { PageError } from "./desk-api.ts";

/** Kinds that one page tells at most, from its loading to its end. */
const KINDS_MAX = 20;
/** Errors that come together are one call. */
const GATHER_MS = 1_000;
const AGAIN_MS = 60_000;
const TRIES_MAX = 5;
const MESSAGE_CHARS_MAX = 500;
const STACK_CHARS_MAX = 4_000;

/** Says of browsers that no page can help, and of pages of others. */
const NOISE = /^(ResizeObserver loop|Script error\.?$)/;

interface Where {
  /** Which page is open; never what is searched for in it. */
  page: () => string;
  version: () => string;
}

/** Follows the page's errors until the signal aborts. */
export function followPageErrors(
  tell: (errors: readonly PageError[]) => Promise<void>,
  where: Where,
  signal: AbortSignal,
): void {
  const told = new Set<string>();
  let waiting: PageError[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;

  const send = async () => {
    timer = undefined;
    const errors = waiting;
    waiting = [];
    try {
      await tell(errors);
      tries = 0;
    } catch {
      tries += 1;
      if (tries >= TRIES_MAX || signal.aborted) return;
      waiting = [...errors, ...waiting];
      timer ??= setTimeout(() => void send(), AGAIN_MS);
    }
  };

  const note = (error: unknown, said: string) => {
    const found = read(error, said);
    if (found === undefined || told.size >= KINDS_MAX) return;
    const key = `${found.error_type} ${found.message} ${found.stack_trace?.split("\n")[1] ?? ""}`;
    if (told.has(key)) return;
    told.add(key);
    const context = { page: where.page(), version: where.version() };
    waiting.push({ ...found, context, at: new Date().toISOString() });
    timer ??= setTimeout(() => void send(), GATHER_MS);
  };

  const onError = (event: ErrorEvent) => note(event.error, event.message);
  const onRejection = (event: PromiseRejectionEvent) => note(event.reason, String(event.reason));
  window.addEventListener("error", onError, { signal });
  window.addEventListener("unhandledrejection", onRejection, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
}

/** What is told of an error; nothing if the desk knows it better, or nobody can help it. */
function read(error: unknown, said: string): Omit<PageError, "context" | "at"> | undefined {
  const isKnown = error instanceof ApiProblem || error instanceof Unreachable;
  if (isKnown || (error instanceof DOMException && error.name === "AbortError")) return undefined;
  const message = (error instanceof Error ? error.message : said).slice(0, MESSAGE_CHARS_MAX);
  if (message === "" || NOISE.test(message)) return undefined;
  return {
    error_type: error instanceof Error ? error.name : "Error",
    message,
    stack_trace: error instanceof Error ? error.stack?.slice(0, STACK_CHARS_MAX) : undefined,
  };
}
