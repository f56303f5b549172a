// Whether something a person did here is still on its way to the disk, and when the last such thing was kept.

import type { DeskApi } from "./desk-api.ts";

/** The calls that write. */
const SAVES = new Set<PropertyKey>([
  "approve",
  "refuse",
  "changeDevice",
  "mergeDevice",
  "askForFile",
  "removeDevice",
  "closeCode",
  "renewCertificates",
  "resolve",
  "undo",
  "reopen",
  "ask",
  "resolveBulk",
  "undoBulk",
  "retryOp",
  "applyOp",
  "dropOp",
  "write",
  "takeInRescue",
  "setPerson",
  "fillDemo",
  "confirmImport",
  "undoImport",
] satisfies (keyof DeskApi)[]);

export class Saving {
  #running = $state(0);
  /** By this computer's clock, milliseconds; undefined until this page kept something. */
  lastAt = $state<number | undefined>(undefined);

  get busy(): boolean {
    return this.#running > 0;
  }

  /** The same desk; its writing calls are counted while they run. */
  watch(api: DeskApi): DeskApi {
    return new Proxy(api, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== "function" || !SAVES.has(name)) return call;
        return (...given: unknown[]) => this.#during(Reflect.apply(call, target, given));
      },
    });
  }

  async #during<T>(running: Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      const answer = await running;
      this.lastAt = Date.now();
      return answer;
    } finally {
      this.#running -= 1;
    }
  }
}
