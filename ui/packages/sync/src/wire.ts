// The desk's answers, parsed: what comes over the network is unknown until it has passed here.

import * as v from "valibot";

const Json = v.record(v.string(), v.unknown());
const Strings = v.fallback(v.array(v.string()), []);
const MaybeText = v.fallback(v.nullable(v.string()), null);
const Named = v.object({ id: v.string(), name: v.string() });
const MaybeNamed = v.fallback(v.nullable(Named), null);

/** `GET /ping`: who answers. */
export const Ping = v.object({
  installation_id: v.string(),
  name: v.string(),
  version: v.string(),
  epoch: v.string(),
  server_time: v.string(),
  /** Where it is reached over plain HTTP. */
  addresses: Strings,
  /** Where it is reached with its certificate. */
  https: Strings,
  /** How the fingerprint of the show's certificate begins. */
  fingerprint_prefix: v.fallback(v.string(), ""),
});
export type Ping = v.InferOutput<typeof Ping>;

/** `POST /pairing/claim`. */
export const Claimed = v.object({ pairing_id: v.string(), check_number: v.string(), functions: Strings });

/** `GET /me`: what this phone is at the show. */
export const Me = v.object({
  device_id: v.string(),
  person: Named,
  functions: Strings,
  /** What it may do, by the names of the permissions; not told by a desk that knows only functions. */
  permissions: v.fallback(v.nullable(v.array(v.string())), null),
  /** When its pass ends for good; never, if nothing is said. */
  expires_at: MaybeText,
  /** When the desk asked for this phone's entries as a file. */
  file_asked_at: MaybeText,
});
export type Me = v.InferOutput<typeof Me>;

/** `POST /me/token`. */
export const Renewed = v.object({ token: v.string(), expires_at: v.string() });

/** `GET /pairing/{pairing_id}`. */
export const PairingStatus = v.variant("status", [
  v.object({ status: v.literal("waiting") }),
  v.object({ status: v.literal("refused") }),
  v.object({
    status: v.literal("approved"),
    token: v.string(),
    device_id: v.string(),
    user: Named,
    functions: Strings,
    permissions: v.fallback(v.nullable(v.array(v.string())), null),
  }),
]);
export type PairingStatus = v.InferOutput<typeof PairingStatus>;

/** Why an entry was rejected. */
export const OpFault = v.object({
  code: v.string(),
  detail: v.fallback(v.string(), ""),
  fields: v.fallback(v.record(v.string(), v.string()), {}),
});
export type OpFault = v.InferOutput<typeof OpFault>;

/** What a person decided about an entry. */
export const Decision = v.looseObject({
  resolution: v.fallback(v.string(), ""),
  by: v.optional(v.unknown()),
  by_name: MaybeText,
  at: MaybeText,
  reason: MaybeText,
  values: v.fallback(Json, {}),
  undone_at: MaybeText,
});
export type Decision = v.InferOutput<typeof Decision>;

const settled = {
  op_id: v.string(),
  replayed: v.fallback(v.boolean(), false),
  /** Whose row `record` is, where that is not the entry's own. */
  record_id: MaybeText,
  version: v.fallback(v.number(), 0),
  record: v.fallback(v.nullable(Json), null),
  decision: v.fallback(v.nullable(Decision), null),
};

/** One result of a push or of `/sync/ops/status`. */
export const OpResult = v.variant("verdict", [
  v.object({ verdict: v.literal("applied"), ...settled }),
  v.object({ verdict: v.literal("merged"), ...settled }),
  v.object({ verdict: v.literal("noop"), ...settled }),
  v.object({
    verdict: v.literal("conflict"),
    op_id: v.string(),
    conflict_id: v.string(),
    kind: v.fallback(v.string(), ""),
    contested: Strings,
    replayed: v.fallback(v.boolean(), false),
    record_id: MaybeText,
    version: v.fallback(v.number(), 0),
    record: v.fallback(v.nullable(Json), null),
  }),
  v.object({
    verdict: v.literal("held"),
    op_id: v.string(),
    conflict_id: MaybeText,
    waiting_for: v.optional(v.unknown()),
  }),
  v.object({ verdict: v.literal("rejected"), op_id: v.string(), error: OpFault }),
  v.object({ verdict: v.literal("retry"), op_id: v.string(), after_ms: v.fallback(v.number(), 1_000) }),
  v.object({ verdict: v.literal("unknown"), op_id: v.string() }),
]);
export type OpResult = v.InferOutput<typeof OpResult>;

/** The answer to a push. A result that cannot be read is left out: its entry is sent again. */
export const PushAnswer = v.object({ epoch: v.string(), clock: v.number(), results: v.array(v.unknown()) });

/** The answer to `/sync/ops/status`. */
export const OpsStatus = v.object({ results: v.array(v.unknown()) });

const changed = { seq: v.number(), table_name: v.string(), record_id: v.string(), version: v.number() };

/** One change of a page. */
export const Change = v.variant("op", [
  v.object({ op: v.literal("upsert"), ...changed, data: Json, disputed: Strings }),
  v.object({ op: v.literal("delete"), ...changed }),
  v.object({ op: v.literal("revoke"), ...changed }),
]);
export type Change = v.InferOutput<typeof Change>;

/** A page of changes. */
export const PullPage = v.object({
  epoch: v.string(),
  changes: v.array(Change),
  cursor: v.string(),
  has_more: v.boolean(),
  clock: v.number(),
});
export type PullPage = v.InferOutput<typeof PullPage>;

const Answered = v.object({ at: v.string(), text: v.string() });

/** A disputed entry as its author sees it. */
export const CheckView = v.looseObject({
  id: v.string(),
  kind: v.string(),
  status: v.string(),
  rev: v.number(),
  table_name: v.string(),
  record_id: v.string(),
  op_ids: Strings,
  subject: v.fallback(Json, {}),
  base_data: v.fallback(v.nullable(Json), null),
  server_data: v.fallback(v.nullable(Json), null),
  client_data: v.fallback(v.nullable(Json), null),
  contested: Strings,
  device: MaybeNamed,
  author: MaybeNamed,
  server_author: v.fallback(
    v.nullable(v.looseObject({ id: MaybeText, name: MaybeText, at: MaybeText, device_kind: MaybeText })),
    null,
  ),
  rule: MaybeText,
  disagreement: v.fallback(v.nullable(v.looseObject({ note: MaybeText, at: MaybeText })), null),
  /** What the desk asked the author last, and the answer. */
  asked: v.fallback(
    v.nullable(
      v.object({
        id: v.string(),
        at: v.string(),
        by: MaybeNamed,
        text: v.string(),
        answer: v.fallback(v.nullable(Answered), null),
      }),
    ),
    null,
  ),
  opened_at: v.string(),
  resolved_at: MaybeText,
  timeline: v.fallback(v.array(v.object({ what: v.string(), at: v.string(), who: MaybeText, device: MaybeText })), []),
  decisions: v.fallback(v.array(Decision), []),
});
export type CheckView = v.InferOutput<typeof CheckView>;

/** `GET /me/conflicts`. */
export const MyChecks = v.object({ items: v.array(CheckView) });

/** How far a person has come with a message, lowest first. */
export const NOTICE_STATES = ["waiting", "delivered", "seen", "confirmed"] as const;
export type NoticeState = (typeof NOTICE_STATES)[number];

/** A message of the desk to the person of this phone. `seq` is its place in the order of all that was told to them. */
export const Notice = v.object({
  seq: v.number(),
  id: v.string(),
  type: v.fallback(v.string(), "message"),
  title: v.string(),
  body: MaybeText,
  priority: v.fallback(v.picklist(["normal", "high", "urgent"]), "normal"),
  needs_ack: v.fallback(v.boolean(), false),
  /** Where it leads, as an address of this page. */
  data: v.fallback(v.object({ open: MaybeText }), { open: null }),
  from: MaybeText,
  sent_at: v.string(),
  expires_at: MaybeText,
  retracted_at: MaybeText,
  reminded_at: MaybeText,
  /** How far the person has come with it, on whichever phone. */
  state: v.fallback(v.picklist(NOTICE_STATES), "waiting"),
});
export type Notice = v.InferOutput<typeof Notice>;

/** `GET /me/notifications`. `missed` were over before any phone of the person had them. */
export const NoticePage = v.object({
  items: v.array(v.unknown()),
  missed: v.fallback(v.array(v.unknown()), []),
  latest: v.number(),
  more: v.fallback(v.boolean(), false),
});

/** Reads one message; nothing if it cannot be read. */
export function readNotice(told: unknown): Notice | undefined {
  const parsed = v.safeParse(Notice, told);
  return parsed.success ? parsed.output : undefined;
}

/** Reads the results that can be read. */
export function readResults(results: readonly unknown[]): OpResult[] {
  return results.flatMap((result) => {
    const parsed = v.safeParse(OpResult, result);
    return parsed.success ? [parsed.output] : [];
  });
}
