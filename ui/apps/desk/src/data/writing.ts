// Rows that the person at the desk changes. The desk is a device like any phone: its changes are pushes,
// checked and kept in history like everybody's.

import { answer, ApiProblem, type Api, type components } from "@showdesk/api";
import { newId } from "@showdesk/sync/ids";

import type { Change, Written } from "./desk-api.ts";

type OpResult = components["schemas"]["OpResult"];

const PROTOCOL = 1;
/** Sends of one change at most: the desk may ask to wait, or have been restored. */
const SENDS_MAX = 4;
const RETRY_MS = 500;

/** Sends changes one after the other, so that a later one is made on what the earlier one left. */
export class Writing {
  readonly #api: Api;
  /** One for each page: a reload begins to count anew. */
  readonly #incarnation = newId();
  #sent = 0;
  #desk: { epoch: string; schema: number } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(api: Api) {
    this.#api = api;
  }

  /** Sending the same change again, after no answer came, changes nothing twice. */
  write(change: Change): Promise<Written> {
    const written = this.#last.then(() => this.#send(change));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #send(change: Change): Promise<Written> {
    const seenIn = (await this.#hello()).epoch;
    for (let sends = 0; sends < SENDS_MAX; sends += 1) {
      const result = await this.#push(change, seenIn);
      const written = result === undefined ? undefined : writtenOf(result);
      if (written !== undefined) return written;
      if (result !== undefined) await pause(result.after_ms ?? RETRY_MS);
    }
    throw new ApiProblem(503, "busy", "The desk is busy", "later", NOTHING_MORE);
  }

  /** One push; nothing if the desk lives in another epoch now, which is remembered. */
  async #push(change: Change, seenIn: string): Promise<OpResult | undefined> {
    const { epoch, schema } = await this.#hello();
    const client_time = new Date().toISOString();
    this.#sent += 1;
    const op = {
      op_id: change.op_id,
      device_seq: this.#sent,
      table_name: change.table,
      record_id: change.id,
      operation: change.operation,
      base_version: change.base_version,
      data: change.data,
      ...(change.base === undefined ? {} : { base: change.base }),
      ...(change.reason === undefined ? {} : { reason: change.reason }),
      // Versions count anew after a restore: the desk must know which count this one is from.
      ...(seenIn === epoch ? {} : { epoch: seenIn }),
      client_time,
    };
    const body = { protocol: PROTOCOL, epoch, incarnation: this.#incarnation, schema, client_time, ops: [op] };
    try {
      return answer(await this.#api.POST("/api/v1/sync/push", { body })).results[0];
    } catch (error) {
      const now = error instanceof ApiProblem && error.code === "epoch_mismatch" ? error.more.epoch : null;
      if (now === null || now === epoch) throw error;
      this.#desk = { epoch: now, schema };
      return undefined;
    }
  }

  async #hello(): Promise<{ epoch: string; schema: number }> {
    if (this.#desk === undefined) {
      const hello = answer(await this.#api.GET("/api/v1/sync/hello"));
      this.#desk = { epoch: hello.epoch, schema: hello.schema.current };
    }
    return this.#desk;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const NOTHING_MORE = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };

/** What the verdict means here; nothing if the same is to be sent again. */
function writtenOf(result: OpResult): Written | undefined {
  switch (result.verdict) {
    case "applied":
    case "merged":
    case "noop":
      return { verdict: "saved", version: result.version ?? 0 };
    case "conflict":
    case "held":
      return { verdict: "waits", conflict_id: result.conflict_id ?? undefined };
    case "rejected":
      return { verdict: "refused", error: result.error ?? { code: "internal", detail: "The desk gave no reason." } };
    case "retry":
    case "unknown":
      return undefined;
  }
}
