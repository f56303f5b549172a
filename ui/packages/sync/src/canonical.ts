// JSON in one form only (RFC 8785), so that a checksum of it means the same everywhere.

import { sha256 } from "./sha256.ts";

/** What identifies the content of an entry; everything else about it may differ when it is sent again. */
const CONTENT = [
  "table_name",
  "record_id",
  "operation",
  "base_version",
  "prev_op_id",
  "txn",
  "data",
  "base",
  "reason",
] as const;

const encoder = new TextEncoder();

/** The canonical text of a JSON value. Throws for what JSON cannot say: no number, half a character. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    // By UTF-16 code units, which is how strings compare here.
    const sorted = members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${sorted.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("not a number of JSON");
  if (typeof value === "string" && LONE_SURROGATE.test(value)) throw new RangeError("half a character");
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`not a value of JSON: ${typeof value}`);
  return text;
}

/** With the u flag a pair is one character, so that only halves match. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** SHA-256 of the canonical text. */
export function checksum(value: unknown): string {
  return sha256(encoder.encode(canonicalJson(value)));
}

/** The protocol's `payload_sha256` of an entry as it is sent; what is absent counts as null. */
export function payloadHash(op: Readonly<Record<string, unknown>>): string {
  return checksum(Object.fromEntries(CONTENT.map((name) => [name, op[name] ?? null])));
}
