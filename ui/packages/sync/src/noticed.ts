// What this phone notices of itself: how long things took, and what went wrong. It is kept beside the entries and told
// to the desk after a sync, when there is nothing better to do.
//
// Nothing waits for this and nothing fails by it: what is too much, or is not wanted, is dropped, the oldest first.

import { ApiProblem, type Api } from "@showdesk/api";

import type { Shelf } from "./journal.ts";
import type { Store } from "./store.ts";

/** How long something took on this phone. */
export interface Figure {
  readonly what: "start" | "save" | "search" | "sync";
  readonly tookMs: number;
  /** How it ended, as HTTP says it. */
  readonly status: number;
  readonly atMs: number;
}

/** Something that should not have happened, without anything that a person typed. */
export interface Fault {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly context: Readonly<Record<string, string>>;
  readonly atMs: number;
}

/** What is kept at most, here and on the phone; the oldest make room. */
export const FIGURES_MAX = 200;
export const FAULTS_MAX = 40;
/** One fault that comes again and again must not drive out the others. */
export const ALIKE_MAX = 5;
/** What the desk takes in one request. */
const ITEMS_MAX = 100;
const BYTES_MAX = 48 * 1024;
/** Requests in a row; what is left waits for the next time. */
const POSTS_MAX = 8;
/** How often they are told at most. */
const EVERY_MS = { faults: 10_000, figures: 60_000 } as const;
/** Requests that can never succeed: sent again they would stand in the way of what follows. */
const NEVER_TAKEN: readonly number[] = [400, 404, 413, 415, 422];

interface Kept {
  readonly figures: readonly Figure[];
  readonly faults: readonly Fault[];
}

/** No request was made: it happened on the phone itself. */
const METHOD = "DO";
const NOTHING: Kept = { figures: [], faults: [] };

/** What keeping and telling need. */
export interface NoticedParts {
  readonly api: Api;
  readonly store: Store;
  /** It does not share the database's fate: a full one is what there is to tell of. */
  readonly shelf: Shelf;
  /** The show's desk; none before joining. */
  readonly installation: () => string | undefined;
  readonly now: () => number;
}

/** What waits to be told. */
export class Noticed {
  readonly #parts: NoticedParts;
  /** Not on the shelf yet. */
  #fresh = NOTHING;
  readonly #toldMs: Record<keyof Kept, number>;
  #isTelling = false;

  constructor(parts: NoticedParts) {
    this.#parts = parts;
    this.#toldMs = { faults: Number.NEGATIVE_INFINITY, figures: parts.now() };
  }

  /** Takes a figure; written down with the next fault, or when the page is left. */
  took(figure: Figure): void {
    this.#fresh = bounded({ ...this.#fresh, figures: [...this.#fresh.figures, figure] });
  }

  /** Takes a fault, and writes it down at once: the page may be about to end. */
  failed(fault: Fault): void {
    const known = [...this.#shelved().faults, ...this.#fresh.faults];
    if (known.filter(({ type, message }) => type === fault.type && message === fault.message).length >= ALIKE_MAX)
      return;
    this.#fresh = bounded({ ...this.#fresh, faults: [...this.#fresh.faults, fault] });
    this.keep();
  }

  /** Writes down what is not yet. */
  keep(): void {
    if (this.#parts.installation() === undefined || this.#fresh === NOTHING) return;
    this.#shelve(together(this.#shelved(), this.#fresh));
    this.#fresh = NOTHING;
  }

  /** Tells the desk, if it is time to. Never throws: what could not be told waits for the next time. */
  async tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      this.keep();
      if (this.#isDue("faults")) await this.#tellAll("faults");
      if (this.#isDue("figures")) await this.#tellAll("figures");
    } catch {
      // The desk is away, or busy.
    } finally {
      this.#isTelling = false;
    }
  }

  #isDue(what: keyof Kept): boolean {
    const sinceMs = this.#parts.now() - this.#toldMs[what];
    // A clock that was set back must not silence the phone.
    if (sinceMs >= 0 && sinceMs < EVERY_MS[what]) return false;
    return this.#shelved()[what].length > 0;
  }

  async #tellAll(what: keyof Kept): Promise<void> {
    this.#toldMs[what] = this.#parts.now();
    const aheadMs = (await this.#parts.store.fact("clock_ahead_ms")) ?? 0;
    for (let post = 0; post < POSTS_MAX; post += 1) {
      const kept = this.#shelved();
      const body = requestOf(kept, what, aheadMs);
      const count = body.data.length;
      if (count === 0) return;
      // Taken off the shelf first: another tab shall not tell the same.
      this.#shelve({ ...kept, [what]: kept[what].slice(count) });
      await this.#post(body, { ...NOTHING, [what]: kept[what].slice(0, count) });
    }
  }

  async #post(body: Told, taken: Kept): Promise<void> {
    try {
      await this.#parts.api.POST("/api/v1/telemetry", { body });
    } catch (error) {
      if (error instanceof ApiProblem && NEVER_TAKEN.includes(error.status)) return;
      this.#shelve(together(taken, this.#shelved()));
      throw error;
    }
  }

  #key(): string | undefined {
    const installation = this.#parts.installation();
    return installation === undefined ? undefined : `noticed.${installation}`;
  }

  #shelved(): Kept {
    const key = this.#key();
    if (key === undefined) return NOTHING;
    try {
      const found: unknown = JSON.parse(this.#parts.shelf.read(key) ?? "null");
      // Only this class writes there; what is cut or foreign is none.
      return isKept(found) ? found : NOTHING;
    } catch {
      return NOTHING;
    }
  }

  #shelve(kept: Kept): void {
    const key = this.#key();
    if (key !== undefined) this.#parts.shelf.write(key, JSON.stringify(bounded(kept)));
  }
}

type Told = ReturnType<typeof requestOf>;

function requestOf(kept: Kept, what: keyof Kept, aheadMs: number) {
  const at = (atMs: number) => new Date(atMs + aheadMs).toISOString();
  if (what === "figures") {
    const data = kept.figures.map(({ what: endpoint, tookMs, status, atMs }) => ({
      endpoint,
      method: METHOD,
      duration: tookMs,
      status_code: status,
      at: at(atMs),
    }));
    return { type: "performance" as const, data: whatFits(data) };
  }
  const data = kept.faults.map(({ type, message, stack, context, atMs }) => ({
    error_type: type,
    message,
    stack_trace: stack,
    // The contract says of it that it is an object, and no more.
    context: context as Record<string, never>,
    at: at(atMs),
  }));
  return { type: "error" as const, data: whatFits(data) };
}

/** As many from the front as one request may hold; the first is always among them. */
function whatFits<T>(items: readonly T[]): T[] {
  const utf8 = new TextEncoder();
  let bytes = 0;
  const tooMuch = items.findIndex((item, i) => {
    bytes += utf8.encode(JSON.stringify(item)).length + 1;
    return i >= ITEMS_MAX || (i > 0 && bytes > BYTES_MAX);
  });
  return items.slice(0, tooMuch < 0 ? items.length : tooMuch);
}

function together(older: Kept, newer: Kept): Kept {
  return { figures: [...older.figures, ...newer.figures], faults: [...older.faults, ...newer.faults] };
}

function bounded({ figures, faults }: Kept): Kept {
  return { figures: figures.slice(-FIGURES_MAX), faults: faults.slice(-FAULTS_MAX) };
}

function isKept(found: unknown): found is Kept {
  if (typeof found !== "object" || found === null) return false;
  return Array.isArray((found as Partial<Kept>).figures) && Array.isArray((found as Partial<Kept>).faults);
}
