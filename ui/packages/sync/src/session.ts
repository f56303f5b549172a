// Joining a show: claim a code, wait for Allow at the desk, keep the token. Every step survives a reload.

import { answer, ApiProblem, type Api } from "@showdesk/api";
import * as v from "valibot";

import type { Store } from "./store.ts";
import { Claimed, PairingStatus, Ping } from "./wire.ts";

/** This phone belongs to a show. */
export interface Session {
  readonly installation_id: string;
  readonly show_name: string;
  readonly token: string;
  readonly device_id: string;
  readonly person: { readonly id: string; readonly name: string };
  readonly functions: readonly string[];
}

/** This phone has asked to join and waits for the desk. */
export interface Joining {
  readonly installation_id: string;
  readonly show_name: string;
  readonly name: string;
  /** Secret: whoever knows it can fetch the token after Allow. */
  readonly pairing_id: string;
  readonly check_number: string;
}

/** The phone still holds entries for another show: they must be sent first. */
export class OtherShowFirst extends Error {
  override readonly name = "OtherShowFirst";

  constructor(readonly waiting: number) {
    super("entries of another show are still on this phone");
  }
}

/** How a claim stands. */
export type JoinState = "waiting" | "approved" | "refused" | "expired";

/** Who answers at this address. */
export async function askWho(api: Api): Promise<Ping> {
  return v.parse(Ping, answer(await api.GET("/api/v1/ping")));
}

/** Shows the code to the desk under the name the person typed. */
export async function claim(api: Api, store: Store, code: string, name: string): Promise<Joining> {
  const who = await askWho(api);
  const session = await store.fact("session");
  const isSameShow = session?.installation_id === who.installation_id;
  if (session && !isSameShow) await leaveEmptyShow(store);
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
  };
  await store.transaction("rw", store.facts, async () => {
    await store.setFact("joining", joining);
    await store.setFact("epoch", who.epoch);
  });
  return joining;
}

/** Asks whether the desk has answered; stores the token when it was allowed. */
export async function pollJoin(api: Api, store: Store, joining: Joining): Promise<JoinState> {
  const status = await pairingStatus(api, joining);
  if (status === "expired") return status;
  if (status.status !== "approved") return status.status;
  const session: Session = {
    installation_id: joining.installation_id,
    show_name: joining.show_name,
    token: status.token,
    device_id: status.device_id,
    person: status.user,
    functions: status.functions,
  };
  await store.transaction("rw", store.facts, async () => {
    await store.setFact("session", session);
    await store.dropFact("joining");
  });
  return "approved";
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

/** Forgets a show none of whose entries is left here. */
async function leaveEmptyShow(store: Store): Promise<void> {
  const { rows, ops, checks, facts, incoming } = store;
  await store.transaction("rw", [rows, ops, checks, facts, incoming], async () => {
    const unsent = await ops.where("state").equals("waiting").count();
    if (unsent > 0) throw new OtherShowFirst(unsent);
    await Promise.all([rows.clear(), ops.clear(), checks.clear(), incoming.clear()]);
    for (const key of ["session", "cursor", "reconcile", "recover_from", "complete", "epoch"] as const) {
      await store.dropFact(key);
    }
  });
}
