// Identities made on the phone. Only getRandomValues is used: over plain HTTP crypto.randomUUID does not exist.

import { sha1 } from "./sha1.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A new id for a row or an entry: UUIDv7, sorted by the time it was made. */
export function newId(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(nowMs / 0x1_0000));
  view.setUint16(4, nowMs % 0x1_0000);
  return format(bytes, 7);
}

/**
 * The id of a row that has a natural key, so that two phones make the same row: `v5(a, b)` of the protocol.
 * The namespace is `a`, the name the 36 ASCII characters of `b`.
 */
export function naturalId(namespace: string, name: string): string {
  const message = new Uint8Array(16 + name.length);
  message.set(parse(namespace));
  message.set(new TextEncoder().encode(name), 16);
  return format(sha1(message).slice(0, 16), 5);
}

function parse(id: string): Uint8Array {
  if (!UUID.test(id)) throw new RangeError(`not a lower-case UUID: ${id}`);
  const hex = id.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));
}

function format(bytes: Uint8Array, version: 5 | 7): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
