// Joining a show: claim a code, wait for Allow at the desk, keep the token. Every step survives a reload.

import { answer, ApiProblem, Unreachable, type Api } from "@showdesk/api";
import * as v from "valibot";

import type { Store } from "./store.ts";
import { Claimed, Me, PairingStatus, Ping, Renewed } from "./wire.ts";

/** A token is renewed when it is this old. */
const TOKEN_RENEW_MS = 7 * 24 * 3_600_000;

/** This phone belongs to a show. */
export interface Session {
  readonly installation_id: string;
  readonly show_name: string;
  readonly token: string;
  /** When this phone got the token. */
  readonly token_at_ms: number;
  readonly device_id: string;
  readonly person: { readonly id: string; readonly name: string };
  readonly functions: readonly string[];
  /** What it may do, by the names of the permissions; missing as long as the desk has not told it. */
  readonly permissions?: readonly string[] | null;
  /** When the pass ends for good; never, or not told, if missing. */
  readonly expires_at?: string | null;
  /** When the desk asked for this phone's entries as a file. */
  readonly file_asked_at?: string | null;
}

/** This phone has asked to join and waits for the desk. */
export interface Joining {
  readonly installation_id: string;
  readonly show_name: string;
  readonly name: string;
  /** Secret: whoever knows it can fetch the token after Allow. */
  readonly pairing_id: string;
  readonly check_number: string;
  /** What the code is for; missing in what was stored before the desk told it. */
  readonly functions?: readonly string[];
}

/** The phone still holds entries for the show, or of the person, that it is to leave: they must be sent first. */
export class OtherShowFirst extends Error {
  override readonly name = "OtherShowFirst";

  constructor(readonly waiting: number) {
    super("entries of before are still on this phone");
  }
}

/** How a claim stands. */
export type JoinState = "waiting" | "approved" | "refused" | "expired";

/** Who answers at this address. */
export async function askWho(api: Api): Promise<Ping> {
  const told = v.safeParse(Ping, answer(await api.GET("/api/v1/ping")));
  // Something else that speaks JSON: not a desk.
  if (!told.success) throw new Unreachable("not_json");
  return told.output;
}

/**
 * Shows the code to the desk under the name the person typed. `fingerprint` is what the scanned code said of the
 * show's certificate; a typed code says nothing of it.
 */
export async function claim(
  api: Api,
  store: Store,
  code: string,
  name: string,
  fingerprint: string | null = null,
): Promise<Joining> {
  const who = await askWho(api);
  const session = await store.fact("session");
  const isSameShow = session?.installation_id === who.installation_id;
  if (session && !isSameShow) await leaveShow(store);
  const body = {
    code,
    device_name: name,
    platform: "web",
    ...(session && isSameShow ? { previous_token: session.token } : {}),
  };
  const claimed = v.parse(Claimed, answer(await api.POST("/api/v1/pairing/claim", { body })));
  const joining: Joining = {
    installation_id: who.installation_id,
    show_name: who.name,
    name,
    pairing_id: claimed.pairing_id,
    check_number: claimed.check_number,
    functions: claimed.functions,
  };
  await store.transaction("rw", store.facts, async () => {
    await store.setFact("joining", joining);
    await store.setFact("epoch", who.epoch);
    if (fingerprint === null) await store.dropFact("fingerprint");
    else await store.setFact("fingerprint", fingerprint);
  });
  return joining;
}

/** Asks whether the desk has answered; stores the token when it was allowed. */
export async function pollJoin(api: Api, store: Store, joining: Joining, nowMs: number): Promise<JoinState> {
  const status = await pairingStatus(api, joining);
  if (status === "expired") return status;
  if (status.status !== "approved") return status.status;
  const session: Session = {
    installation_id: joining.installation_id,
    show_name: joining.show_name,
    token: status.token,
    token_at_ms: nowMs,
    device_id: status.device_id,
    person: status.user,
    functions: status.functions,
    permissions: status.permissions,
  };
  await store.transaction("rw", store.facts, async () => {
    await store.setFact("session", session);
    await store.dropFact("joining");
    await store.dropFact("moved_on");
  });
  return "approved";
}

/** Takes over what the desk says of this phone: its name, its jobs, the end of its pass. */
export async function takeMe(api: Api, store: Store): Promise<void> {
  const me = await askMe(api);
  if (me === null) return;
  await store.transaction("rw", store.facts, async () => {
    const session = await store.fact("session");
    // Another tab may have joined another show, or left this one, while the answer was on its way.
    if (session?.device_id === me.device_id) await store.setFact("session", { ...session, ...standing(me) });
  });
}

/** What this phone is at the show; nothing, if an older desk of the same show answers, which does not tell it. */
export async function askMe(api: Api): Promise<Me | null> {
  try {
    return v.parse(Me, answer(await api.GET("/api/v1/me")));
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return null;
    throw error;
  }
}

/** What of a session the desk may change. */
export function standing(
  me: Me,
): Pick<Session, "person" | "functions" | "permissions" | "expires_at" | "file_asked_at"> {
  const { person, functions, permissions, expires_at, file_asked_at } = me;
  return { person, functions, permissions, expires_at, file_asked_at };
}

/**
 * Gets a new token once the present one is a week old. The old one lives until the new one is first used,
 * so a phone that dies in between has lost nothing.
 */
export async function renewToken(api: Api, store: Store, nowMs: number): Promise<void> {
  const session = await store.fact("session");
  if (session === undefined) return;
  const ageMs = nowMs - session.token_at_ms;
  // A token from the future was stored by a clock that has been set back since.
  if (ageMs >= 0 && ageMs < TOKEN_RENEW_MS) return;
  const { token } = v.parse(Renewed, answer(await api.POST("/api/v1/me/token")));
  await store.transaction("rw", store.facts, async () => {
    const present = await store.fact("session");
    if (present?.token !== session.token) return;
    await store.setFact("session", { ...present, token, token_at_ms: nowMs });
  });
}

async function pairingStatus(api: Api, joining: Joining): Promise<PairingStatus | "expired"> {
  const path = { pairing_id: joining.pairing_id };
  try {
    const status = answer(await api.GET("/api/v1/pairing/{pairing_id}", { params: { path } }));
    return v.parse(PairingStatus, status);
  } catch (error) {
    if (error instanceof ApiProblem && (error.status === 404 || error.status === 410)) return "expired";
    throw error;
  }
}

/** What belongs to a show. The store's own identity and its count of entries stay for ever. */
const LEFT_BEHIND = [
  "session",
  "cursor",
  "reconcile",
  "kept_rows",
  "recover_from",
  "complete",
  "epoch",
  "rows_epoch",
  "addresses",
  "plain_addresses",
  "last_sent_ms",
  "fingerprint",
  "moved_on",
  "taken_pass",
  "notices_at",
  "push",
] as const;

/** Forgets the show. Fails while an entry of it is only here: it must reach the desk first. */
export async function leaveShow(store: Store): Promise<void> {
  const { rows, ops, checks, facts, incoming, notices } = store;
  await store.transaction("rw", [rows, ops, checks, facts, incoming, notices], async () => {
    const unsent = await ops.where("state").equals("waiting").count();
    if (unsent > 0) throw new OtherShowFirst(unsent);
    await Promise.all([rows.clear(), ops.clear(), checks.clear(), incoming.clear(), notices.clear()]);
    for (const key of LEFT_BEHIND) {
      await store.dropFact(key);
    }
  });
}
