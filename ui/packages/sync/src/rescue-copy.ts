// A rescue copy as a text: a file, or parts of one that fit into QR codes. The phone writes it, phones and desks read it.

import type { TableName } from "@showdesk/api";
import * as v from "valibot";

import { checksum } from "./canonical.ts";
import { sha256 } from "./sha256.ts";

export const FORMAT = "showdesk-rescue";
export const VERSION = 1;

/** What a desk takes in one request, and more than a phone ever holds. */
const COPY_CHARS_MAX = 32 * 1024 * 1024;
const OPS_MAX = 20_000;

/** Characters of a copy in one part: with its heading it fits a QR code that a phone reads from a screen. */
const PART_CHARS = 560;
const PARTS_MAX = 9_999;
const PART = /^SDR1:([0-9a-f]{8}):(\d{1,4})\/(\d{1,4}):([\x20-\x7e]*)$/;

const Json = v.record(v.string(), v.unknown());
const Text = v.string();
const MaybeText = v.nullable(v.string());

const RescuedOp = v.object({
  op_id: Text,
  device_seq: v.number(),
  txn: v.nullable(v.object({ id: Text, size: v.number() })),
  table_name: v.custom<TableName>((name) => typeof name === "string"),
  record_id: Text,
  operation: v.picklist(["insert", "update", "delete"]),
  base_version: v.number(),
  prev_op_id: MaybeText,
  epoch: MaybeText,
  reason: MaybeText,
  data: Json,
  base: v.optional(Json),
  client_time: Text,
});

const Rescue = v.object({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  made_at: Text,
  installation_id: Text,
  show_name: Text,
  device_id: Text,
  person: v.object({ id: Text, name: Text }),
  epoch: Text,
  schema: v.number(),
  pushes: v.array(v.object({ incarnation: Text, recovered_from: MaybeText, ops: v.array(RescuedOp) })),
});

/** A copy: from whom, and its entries exactly as they would be pushed. */
export type Rescue = v.InferOutput<typeof Rescue>;

/** Why a copy cannot be read. */
export type RescueFault = "not_a_copy" | "damaged" | "newer" | "other_show";

/** The copy cannot be taken in; nothing of it was. */
export class RescueUnreadable extends Error {
  override readonly name = "RescueUnreadable";

  constructor(
    readonly fault: RescueFault,
    options?: ErrorOptions,
  ) {
    super(`not taken in: ${fault}`, options);
  }
}

/** The copy as the text of a file, with its checksum. */
export function writeRescue(copy: Rescue): string {
  return asciiJson({ ...copy, sha256: checksum(copy) });
}

/** JSON whose every character is one byte, whatever reads and writes it on its way. */
function asciiJson(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped);
}

/** Reads the text of a copy. Nothing is believed that its checksum does not cover. */
export function readRescue(text: string): Rescue {
  if (text.length > COPY_CHARS_MAX) throw new RescueUnreadable("not_a_copy");
  const { sha256: told, ...copy } = parseJson(text);
  if (copy["format"] !== FORMAT) throw new RescueUnreadable("not_a_copy");
  if (typeof copy["version"] === "number" && copy["version"] > VERSION) throw new RescueUnreadable("newer");
  if (told !== sumOf(copy)) throw new RescueUnreadable("damaged");
  const parsed = v.safeParse(Rescue, copy);
  if (!parsed.success) throw new RescueUnreadable("damaged");
  const count = parsed.output.pushes.reduce((sum, push) => sum + push.ops.length, 0);
  if (count > OPS_MAX) throw new RescueUnreadable("not_a_copy");
  return parsed.output;
}

function parseJson(text: string): Record<string, unknown> {
  try {
    return v.parse(Json, JSON.parse(text));
  } catch (cause) {
    throw new RescueUnreadable("not_a_copy", { cause });
  }
}

function sumOf(copy: unknown): string {
  try {
    return checksum(copy);
  } catch (cause) {
    throw new RescueUnreadable("damaged", { cause });
  }
}

/** The copy in parts for QR codes: `SDR1:<copy's sum, 8 digits>:<number>/<count>:<text>`. */
export function rescueParts(text: string): string[] {
  const sum = headingSum(text);
  const count = Math.ceil(text.length / PART_CHARS);
  return Array.from({ length: count }, (_, i) => {
    return `SDR1:${sum}:${i + 1}/${count}:${text.slice(i * PART_CHARS, (i + 1) * PART_CHARS)}`;
  });
}

function headingSum(text: string): string {
  return sha256(new TextEncoder().encode(text)).slice(0, 8);
}

/** Parts put together, or the numbers of those that are still to be read. */
export type JoinedParts = { readonly text: string } | { readonly missing: readonly number[] };

/** Puts parts together that were read in any order, some perhaps twice. Parts of two copies do not mix. */
export function joinRescueParts(parts: readonly string[]): JoinedParts {
  const found = new Map<number, string>();
  let heading: string | undefined;
  let count = 0;
  for (const part of parts) {
    const [, sum, number, of, text] = PART.exec(part) ?? [];
    if (sum === undefined || text === undefined) throw new RescueUnreadable("not_a_copy");
    if (heading !== undefined && heading !== `${sum}/${of}`) throw new RescueUnreadable("damaged");
    heading = `${sum}/${of}`;
    count = Math.min(Number(of), PARTS_MAX);
    found.set(Number(number), text);
  }
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  const missing = numbers.filter((number) => !found.has(number));
  if (count === 0 || missing.length > 0) return { missing };
  const text = numbers.map((number) => found.get(number)).join("");
  if (heading !== `${headingSum(text)}/${count}`) throw new RescueUnreadable("damaged");
  return { text };
}
