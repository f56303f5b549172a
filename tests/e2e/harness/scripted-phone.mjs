// A phone without a screen: joins, reads and writes over HTTP, for tests that are about the desk.

import { randomUUID } from "node:crypto";

import { Api } from "./api.mjs";
import { until } from "./wait.mjs";

const PULL_PAGES_MAX = 50;

/** A phone that has joined. */
export class ScriptedPhone {
  #incarnation = randomUUID();

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /**
   * Asks to join and waits until somebody allows it.
   * @param {string} phones where the phone listener is
   * @param {string} code
   * @param {string} name
   * @param {() => Promise<void>} allow
   */
  static async join(phones, code, name, allow) {
    const asking = new Api(phones);
    const claimed = await asking.post("/pairing/claim", { code, device_name: name, platform: "web" });
    await allow();
    const token = await until(`${name} is allowed`, async () => {
      const status = await asking.get(`/pairing/${claimed.pairing_id}`);
      return status.status === "approved" ? String(status.token) : null;
    });
    return new ScriptedPhone(new Api(phones, token));
  }

  /**
   * All rows of a table that this phone may see.
   * @param {string} table
   * @returns {Promise<{ record_id: string, version: number, data: Record<string, unknown> }[]>}
   */
  async rows(table) {
    const rows = new Map();
    let cursor = "";
    for (let page = 0; page < PULL_PAGES_MAX; page += 1) {
      const query = new URLSearchParams({ limit: "1000", tables: table, ...(cursor ? { cursor } : {}) });
      const answer = await this.api.get(`/sync/pull?${query}`);
      for (const change of answer.changes) rows.set(change.record_id, change);
      cursor = answer.cursor;
      if (!answer.has_more) return [...rows.values()];
    }
    throw new Error(`more than ${PULL_PAGES_MAX} pages of ${table}`);
  }

  /**
   * Changes a row and answers the verdict.
   * @param {string} table
   * @param {{ record_id: string, version: number, data: Record<string, unknown> }} row as the phone has seen it
   * @param {Record<string, unknown>} data
   */
  async update(table, row, data) {
    const hello = await this.api.get("/sync/hello");
    const base = Object.fromEntries(Object.keys(data).map((field) => [field, row.data[field] ?? null]));
    const operation = { op_id: randomUUID(), table_name: table, record_id: row.record_id, operation: "update" };
    const answer = await this.api.post("/sync/push", {
      protocol: 1,
      epoch: hello.epoch,
      incarnation: this.#incarnation,
      schema: hello.schema.current,
      client_time: new Date().toISOString(),
      ops: [{ ...operation, device_seq: 1, base_version: row.version, data, base }],
    });
    return answer.results[0];
  }
}
