// A phone without a screen: joins, reads and writes over HTTP, for tests that are about the desk.

import { Api } from "./api.mjs";
import { freshId, update } from "./ops.mjs";
import { until } from "./wait.mjs";

/**
 * @typedef {import("./ops.mjs").Op} Op
 * @typedef {import("./ops.mjs").Row} Row
 */

const PULL_PAGES_MAX = 50;

/** A device that pushes and pulls: a phone that has joined, or the desk itself. */
export class ScriptedPhone {
  #incarnation = freshId();
  #nextSeq = 1;
  /** How many entries it says it holds. */
  pending = 0;
  /**
   * When it made the oldest of them.
   * @type {Date | null}
   */
  oldest = null;
  /** What time it thinks it is. */
  clock = () => new Date();

  /**
   * @param {Api} api
   * @param {string} [name]
   */
  constructor(api, name = "") {
    this.api = api;
    this.name = name;
  }

  /**
   * Asks to join and waits until somebody allows it.
   * @param {string} phones where the phone listener is
   * @param {string} code
   * @param {string} name
   * @param {() => Promise<void>} allow
   * @param {string} [platform]
   */
  static async join(phones, code, name, allow, platform = "web") {
    const asking = new Api(phones);
    const claimed = await asking.post("/pairing/claim", {
      code,
      device_name: name,
      platform,
    });
    await allow();
    const token = await until(`${name} is allowed`, async () => {
      const status = await asking.get(`/pairing/${claimed.pairing_id}`);
      return status.status === "approved" ? String(status.token) : null;
    });
    return new ScriptedPhone(new Api(phones, token), name);
  }

  /**
   * All rows of a table that this phone may see.
   * @param {string} table
   * @returns {Promise<Row[]>}
   */
  async rows(table) {
    const rows = new Map();
    let cursor = "";
    for (let page = 0; page < PULL_PAGES_MAX; page += 1) {
      const query = new URLSearchParams({
        limit: "1000",
        tables: table,
        ...(cursor ? { cursor } : {}),
      });
      const answer = await this.api.get(`/sync/pull?${query}`);
      for (const change of answer.changes) rows.set(change.record_id, change);
      cursor = answer.cursor;
      if (!answer.has_more) return [...rows.values()].filter((row) => row.op === "upsert");
    }
    throw new Error(`more than ${PULL_PAGES_MAX} pages of ${table}`);
  }

  /**
   * Says that it is there, as a phone's first question does.
   * @param {{ tookMs?: number }} [how] how long the one before took
   */
  async beat({ tookMs = 20 } = {}) {
    const headers = { ...this.#headers(), "X-Client-Took-Ms": String(tookMs) };
    // A desk whose clock has just been set may take the connection for an old one, and end it.
    const heard = () => this.api.get("/sync/hello", headers).catch(() => null);
    await until(`the desk hears ${this.name}`, heard);
  }

  #headers() {
    const now = this.clock().getTime();
    return {
      "X-Client-Pending": String(this.pending),
      "X-Client-Waiting-Ms": String(now - (this.oldest?.getTime() ?? now)),
    };
  }

  /**
   * The body of a push.
   * @param {Op[]} ops
   */
  async envelope(ops) {
    const hello = await this.api.get("/sync/hello");
    const at = this.clock().toISOString();
    return {
      protocol: 1,
      epoch: hello.epoch,
      incarnation: this.#incarnation,
      schema: hello.schema.current,
      client_time: at,
      ops: ops.map((one) => ({
        device_seq: this.#nextSeq++,
        client_time: at,
        ...one,
      })),
    };
  }

  /**
   * Sends ops and answers a verdict for each.
   * @param {Op[]} ops
   * @returns {Promise<any[]>}
   */
  async push(ops) {
    const answer = await this.api.post("/sync/push", await this.envelope(ops), this.#headers());
    return answer.results;
  }

  /**
   * Sends ops that must all be taken as they are.
   * @param {Op[]} ops
   */
  async apply(ops) {
    const results = await this.push(ops);
    const refused = results.find((result) => !["applied", "merged", "noop"].includes(result.verdict));
    if (refused) throw new Error(`${this.name || "the desk"}: ${JSON.stringify(refused)}`);
    return results;
  }

  /**
   * Changes a row and answers the verdict.
   * @param {string} table
   * @param {Row} row as the phone has seen it
   * @param {Record<string, unknown>} data
   */
  async update(table, row, data) {
    const [result] = await this.push([update(table, row, data)]);
    return result;
  }
}
