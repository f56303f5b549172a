// Ops as a phone makes them, and the ids of rows.

import { createHash, randomUUID } from "node:crypto";

/**
 * One change.
 * @typedef {Record<string, unknown> & { op_id: string, record_id: string, data: Record<string, unknown> }} Op
 */

/**
 * A row as a phone has pulled it.
 * @typedef {{ record_id: string, version: number, data: Record<string, any> }} Row
 */

/** An id that nobody else has. */
export const freshId = () => String(randomUUID());

/**
 * The id of a row that has a natural key: UUIDv5 of the second in the namespace of the first.
 * @param {string} namespace
 * @param {string} name
 */
export function naturalId(namespace, name) {
  const hash = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name)
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/**
 * A new row.
 * @param {string} table
 * @param {Record<string, unknown>} data
 * @param {string} [id]
 * @returns {Op}
 */
export function insert(table, data, id = freshId()) {
  return op(table, id, { operation: "insert", base_version: 0, data });
}

/**
 * An edit, with the values the author saw.
 * @param {string} table
 * @param {Row} row
 * @param {Record<string, unknown>} data
 * @returns {Op}
 */
export function update(table, row, data) {
  const base = Object.fromEntries(Object.keys(data).map((field) => [field, row.data[field] ?? null]));
  return op(table, row.record_id, {
    operation: "update",
    base_version: row.version,
    data,
    base,
  });
}

/**
 * A soft deletion.
 * @param {string} table
 * @param {Row} row
 * @returns {Op}
 */
export function remove(table, row) {
  return op(table, row.record_id, {
    operation: "delete",
    base_version: row.version,
    data: {},
  });
}

/**
 * The ops as one group, which stands or falls as one.
 * @param {Op[]} ops
 * @returns {Op[]}
 */
export function group(ops) {
  const txn = { id: freshId(), size: ops.length };
  return ops.map((one) => ({ ...one, txn }));
}

/**
 * The op as it was made at another time, with a reason, in a chain.
 * @param {Op} one
 * @param {Record<string, unknown>} more
 * @returns {Op}
 */
export const having = (one, more) => ({ ...one, ...more });

/**
 * A weight from the scale.
 * @param {{ record_id: string, data: Record<string, any> }} animal
 * @param {number} weightX10
 * @param {Record<string, unknown>} [more] fields of the weigh-in
 */
export function weighing(animal, weightX10, more = {}) {
  return insert("weigh_ins", {
    animal_id: animal.record_id,
    kind: "arrival",
    weight_x10: weightX10,
    unit: "lb",
    tag_read: animal.data["tag"],
    source: "manual",
    ...more,
  });
}

/**
 * @param {string} table
 * @param {string} recordId
 * @param {{ operation: string, base_version: number, data: Record<string, unknown>, base?: Record<string, unknown> }} what
 * @returns {Op}
 */
function op(table, recordId, what) {
  return { op_id: freshId(), table_name: table, record_id: recordId, ...what };
}
