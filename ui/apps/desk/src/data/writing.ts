// Rows that the person at the desk changes. The desk is a device like any phone: its changes are pushes,
// checked and kept in history like everybody's.

import { answer, ApiProblem, type Api, type components } from "@showdesk/api";
import { newId } from "@showdesk/sync/ids";

import type { Change, Written, WrittenTogether } from "./desk-api.ts";

/** Changes that are decided as one. */
interface Group {
  id: string;
  size: number;
}

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
  async write(change: Change): Promise<Written> {
    const written = await this.#inTurn([change], undefined);
    return written.verdict === "saved" ? { verdict: "saved", version: written.versions[0] ?? 0 } : written;
  }

  /** All of them or none; `group` is the same when they are sent again. */
  writeTogether(changes: readonly Change[], group: string): Promise<WrittenTogether> {
    return this.#inTurn(changes, { id: group, size: changes.length });
  }

  #inTurn(changes: readonly Change[], txn: Group | undefined): Promise<WrittenTogether> {
    const written = this.#last.then(() => this.#send(changes, txn));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #send(changes: readonly Change[], txn: Group | undefined): Promise<WrittenTogether> {
    const seenIn = (await this.#hello()).epoch;
    for (let sends = 0; sends < SENDS_MAX; sends += 1) {
      const results = await this.#push(changes, txn, seenIn);
      const written = results === undefined ? undefined : writtenOf(results);
      if (written !== undefined) return written;
      if (results !== undefined) await pause(results.find(({ after_ms }) => after_ms)?.after_ms ?? RETRY_MS);
    }
    throw new ApiProblem(503, "busy", "The desk is busy", "later", NOTHING_MORE);
  }

  /** One push; nothing if the desk lives in another epoch now, which is remembered. */
  async #push(
    changes: readonly Change[],
    txn: Group | undefined,
    seenIn: string,
  ): Promise<readonly OpResult[] | undefined> {
    const { epoch, schema } = await this.#hello();
    const client_time = new Date().toISOString();
    const ops = changes.map((change) => ({
      ...this.#op(change, client_time),
      // Versions count anew after a restore: the desk must know which count this one is from.
      ...(seenIn === epoch ? {} : { epoch: seenIn }),
      ...(txn === undefined ? {} : { txn }),
    }));
    const body = { protocol: PROTOCOL, epoch, incarnation: this.#incarnation, schema, client_time, ops };
    try {
      return answer(await this.#api.POST("/api/v1/sync/push", { body })).results;
    } catch (error) {
      const now = error instanceof ApiProblem && error.code === "epoch_mismatch" ? error.more.epoch : null;
      if (now === null || now === epoch) throw error;
      this.#desk = { epoch: now, schema };
      return undefined;
    }
  }

  #op(change: Change, client_time: string) {
    this.#sent += 1;
    return {
      op_id: change.op_id,
      device_seq: this.#sent,
      table_name: change.table,
      record_id: change.id,
      operation: change.operation,
      base_version: change.base_version,
      data: change.data,
      ...(change.base === undefined ? {} : { base: change.base }),
      ...(change.reason === undefined ? {} : { reason: change.reason }),
      client_time,
    };
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

/** What the verdicts mean here; nothing if the same is to be sent again. */
function writtenOf(results: readonly OpResult[]): WrittenTogether | undefined {
  if (results.length === 0 || results.some(({ verdict }) => verdict === "retry" || verdict === "unknown")) {
    return undefined;
  }
  const refused = results.filter(({ verdict }) => verdict === "rejected");
  if (refused.length > 0) {
    // Of a group the others only say that one was refused.
    const culprit = refused.find(({ error }) => error?.code !== "txn_failed") ?? refused[0];
    return { verdict: "refused", error: culprit?.error ?? { code: "internal", detail: "The desk gave no reason." } };
  }
  const waits = results.filter(({ verdict }) => verdict === "conflict" || verdict === "held");
  if (waits.length > 0) {
    return { verdict: "waits", conflict_id: waits.find(({ conflict_id }) => conflict_id)?.conflict_id ?? undefined };
  }
  return { verdict: "saved", versions: results.map(({ version }) => version ?? 0) };
}
