// A copy of everything unsent, to be carried to the desk without Wi-Fi: a file, or texts that fit into QR codes.
//
// Loaded only when it is needed. The token is never part of a copy: whoever reads it in sends it in their own name.

import type { TableName } from "@showdesk/api";
import * as v from "valibot";

import { checksum } from "./canonical.ts";
import { SCHEMA, wireOp } from "./envelope.ts";
import { FRESH } from "./outbox.ts";
import type { Session } from "./session.ts";
import { sha256 } from "./sha256.ts";
import type { Store, StoredOp } from "./store.ts";

const FORMAT = "showdesk-rescue";
const VERSION = 1;

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

/** A copy of all waiting entries as the text of a file; nothing if none wait. They stay on this phone too. */
export async function exportRescue(store: Store, nowMs: number): Promise<string | null> {
  const { ops, facts } = store;
  return await store.transaction("r", [ops, facts], async () => {
    const waiting = await ops.where("state").equals("waiting").sortBy("device_seq");
    const [session, epoch, incarnation] = [
      await store.fact("session"),
      await store.fact("epoch"),
      await store.fact("incarnation"),
    ];
    if (session === undefined || epoch === undefined || incarnation === undefined || waiting.length === 0) return null;
    const copy: Rescue = {
      format: FORMAT,
      version: VERSION,
      made_at: new Date(nowMs).toISOString(),
      installation_id: session.installation_id,
      show_name: session.show_name,
      device_id: session.device_id,
      person: session.person,
      epoch,
      schema: SCHEMA,
      pushes: pushesOf(waiting, epoch, incarnation),
    };
    return asciiJson({ ...copy, sha256: checksum(copy) });
  });
}

/** Entries by the envelope that they would travel in, what a restored desk has lost first. */
function pushesOf(waiting: readonly StoredOp[], epoch: string, incarnation: string): Rescue["pushes"] {
  const envelopes = new Map<string, Rescue["pushes"][number]>();
  const lostFirst = [...waiting].sort((a, b) => Number(b.recovered_from !== null) - Number(a.recovered_from !== null));
  for (const op of lostFirst) {
    const envelope = { incarnation: op.incarnation ?? incarnation, recovered_from: op.recovered_from, ops: [] };
    const key = `${envelope.recovered_from} ${envelope.incarnation}`;
    const push = envelopes.get(key) ?? envelope;
    push.ops.push(wireOp(op, epoch));
    envelopes.set(key, push);
  }
  return [...envelopes.values()];
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

/** What was taken in. */
export interface TakenIn {
  readonly added: number;
  /** Entries that this phone already has. */
  readonly known: number;
}

/** Puts a copy's entries into this phone's queue. Taking it in twice changes nothing: entries keep their ids. */
export async function takeIn(store: Store, copy: Rescue): Promise<TakenIn> {
  return await store.transaction("rw", [store.ops, store.facts], async () => {
    const session = await store.fact("session");
    if (session?.installation_id !== copy.installation_id) throw new RescueUnreadable("other_show");
    const rescued = copy.pushes.flatMap((push) => push.ops.map((op) => ({ push, op })));
    const known = await store.ops.bulkGet(rescued.map(({ op }) => op.op_id));
    const unknown = rescued.filter((_, i) => known[i] === undefined);
    const inCopy = new Set(rescued.map(({ op }) => op.op_id));
    const own = (await store.fact("incarnation")) ?? "";
    let deviceSeq = (await store.fact("device_seq")) ?? 0;
    const ops = unknown.map(({ push, op }): StoredOp => {
      deviceSeq += 1;
      return { ...FRESH, ...op, ...placeIn(copy, push, op, { session, own, inCopy }), device_seq: deviceSeq };
    });
    await store.ops.bulkAdd(ops);
    await store.setFact("device_seq", deviceSeq);
    return { added: ops.length, known: rescued.length - ops.length };
  });
}

/**
 * How an entry stands here. For the desk, this phone's own earlier store goes on under its own name, while entries of
 * another phone are this phone's: an entry before them that is not in the copy is then unknown to their chain,
 * and their `base` alone tells what their author had seen.
 */
function placeIn(
  copy: Rescue,
  push: Rescue["pushes"][number],
  op: Rescue["pushes"][number]["ops"][number],
  here: { readonly session: Session; readonly own: string; readonly inCopy: ReadonlySet<string> },
) {
  const isOwnPhone = copy.device_id === here.session.device_id;
  const isChained = isOwnPhone || (op.prev_op_id !== null && here.inCopy.has(op.prev_op_id));
  return {
    incarnation: isOwnPhone && push.incarnation !== here.own ? push.incarnation : null,
    prev_op_id: isChained ? op.prev_op_id : null,
    recovered_from: push.recovered_from,
    epoch: op.epoch ?? copy.epoch,
    base: op.base ?? null,
  };
}
