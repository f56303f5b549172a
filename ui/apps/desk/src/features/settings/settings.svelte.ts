// The show's own row: what each setting is, what is being saved, and what became of it. Each setting is saved by itself.

import { Unreachable } from "@showdesk/api";
import { newId } from "@showdesk/sync/ids";

import type { Change, Row } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText, sentence } from "../../data/error-text.ts";
import { at, isSame, textAt, type Json } from "../../text/json.ts";
import { STAGES, type Stage } from "../../text/settings-words.ts";
import { words } from "../../text/words.ts";

/** A setting: a column of the show, or one of its rules as `rules.class_cap`. */
export type Path = string;
export type Values = Readonly<Record<Path, Json>>;

/** How the last change of a setting stands. */
export type Outcome =
  | { readonly is: "saving" | "saved" }
  | { readonly is: "refused"; readonly text: string; readonly retry: (() => void) | undefined }
  | { readonly is: "waits"; readonly conflict: string | undefined };

/** A change as a person makes it. */
export interface Wish {
  readonly values: Values;
  /** What the message at the lower edge says, from the values: `Class cap: 22 animals.` */
  readonly says: (values: Values) => string;
  readonly reason?: string;
  /** The reason for taking it back, where a rule asks for one. */
  readonly undoReason?: string;
}

export class ShowSettings {
  readonly desk: Desk;
  #wanted = $state.raw<Values>({});
  #outcomes = $state.raw<Readonly<Record<Path, Outcome>>>({});
  #last: Promise<unknown> = Promise.resolve();

  constructor(desk: Desk) {
    this.desk = desk;
  }

  /** The show's row; nothing before it was loaded. */
  get show(): Row | undefined {
    return this.desk.overview.data?.show;
  }

  readonly stage: Stage = $derived(STAGES.find((stage) => stage === this.text("stage")) ?? "A");

  /** A show whose results are official takes nothing but another stage. */
  readonly isLocked = $derived(this.stage === "E");

  /** What stands in a setting, or what it is about to be. */
  value(path: Path): Json {
    return path in this.#wanted ? (this.#wanted[path] ?? null) : valueAt(this.show, path);
  }

  text(path: Path): string | undefined {
    const value = this.value(path);
    return typeof value === "string" ? value : undefined;
  }

  number(path: Path): number | undefined {
    const value = this.value(path);
    return typeof value === "number" ? value : undefined;
  }

  outcome(path: Path): Outcome | undefined {
    return this.#outcomes[path];
  }

  /** The person goes on typing, or takes the old value back: what was said about the last try is over. */
  forget(path: Path): void {
    this.#outcomes = without(this.#outcomes, [path]);
    this.#wanted = without(this.#wanted, [path]);
  }

  /** Saves; answers whether it stands. Changes follow each other, each on what the one before left. */
  save(wish: Wish): Promise<boolean> {
    const paths = Object.keys(wish.values);
    this.#wanted = { ...this.#wanted, ...wish.values };
    this.#tell(paths, { is: "saving" });
    const saved = this.#last.then(() => this.#write(wish, this.#change(wish)));
    this.#last = saved;
    return saved;
  }

  #change(wish: Wish): Change {
    const paths = Object.keys(wish.values);
    return {
      op_id: newId(),
      table: "shows",
      id: textAt(this.show, "id") ?? "",
      operation: "update",
      base_version: Number(at(this.show, "version") ?? 0),
      data: rowOf(wish.values),
      base: rowOf(Object.fromEntries(paths.map((path) => [path, valueAt(this.show, path)]))),
      ...(wish.reason === undefined ? {} : { reason: wish.reason }),
    };
  }

  async #write(wish: Wish, change: Change): Promise<boolean> {
    const paths = Object.keys(wish.values);
    const before = Object.fromEntries(paths.map((path) => [path, valueAt(this.show, path)]));
    try {
      const written = await this.desk.api.write(change);
      await this.desk.overview.refresh();
      if (written.verdict === "saved") return this.#saved(wish, before);
      this.#wanted = without(this.#wanted, paths);
      if (written.verdict === "waits") this.#tell(paths, { is: "waits", conflict: written.conflict_id });
      else this.#refused(paths, words.settings.notSaved(sentence(written.error.detail)));
    } catch (error) {
      this.#failed(error, wish, change);
    }
    return false;
  }

  #saved(wish: Wish, before: Values): boolean {
    const paths = Object.keys(wish.values);
    const wanted = (path: Path) => wish.values[path] ?? null;
    // Saved, but not yet seen: what was wanted stays on the screen until the show is read again.
    const isUnseen = this.desk.overview.error !== undefined;
    if (!isUnseen) this.#wanted = without(this.#wanted, paths);
    if (!isUnseen && !paths.every((path) => isSame(valueAt(this.show, path), wanted(path)))) {
      this.#refused(paths, words.settings.overruled);
      return false;
    }
    this.#tell(paths, { is: "saved" });
    const undo = () => {
      const { says, undoReason: reason } = wish;
      void this.save({ values: before, says, ...(reason === undefined ? {} : { reason }) });
    };
    this.desk.toasts.show({
      text: wish.says(wish.values),
      tone: "plain",
      action: { label: words.settings.undo, run: undo },
    });
    return true;
  }

  /** No answer came, or one that says to try later: what was wanted stays, and can be sent again. */
  #failed(error: unknown, wish: Wish, change: Change): void {
    const paths = Object.keys(wish.values);
    const retry = () => {
      this.#tell(paths, { is: "saving" });
      // The same try: if the first one did arrive, nothing is written twice.
      this.#last = this.#last.then(() => this.#write(wish, change));
    };
    const isUnknown = error instanceof Unreachable;
    const text = isUnknown ? words.settings.unknown : words.settings.notSaved(errorText(error));
    this.#refused(paths, text, retry);
  }

  #refused(paths: readonly Path[], text: string, retry?: () => void): void {
    this.#tell(paths, { is: "refused", text, retry });
  }

  #tell(paths: readonly Path[], outcome: Outcome): void {
    this.#outcomes = { ...this.#outcomes, ...Object.fromEntries(paths.map((path) => [path, outcome])) };
  }
}

function valueAt(show: Row | undefined, path: Path): Json {
  const [first = "", key] = path.split(".", 2);
  const value = at(show, first);
  return (key === undefined ? value : at(value, key)) ?? null;
}

/** Rules stand together in one column, of which only the given keys are written. */
function rowOf(values: Values): Row {
  const row: Row = {};
  for (const [path, value] of Object.entries(values)) {
    const [first = "", key] = path.split(".", 2);
    if (key === undefined) row[first] = value;
    else row[first] = { ...(row[first] as Row | undefined), [key]: value };
  }
  return row;
}

function without<T>(record: Readonly<Record<string, T>>, gone: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !gone.includes(name)));
}
