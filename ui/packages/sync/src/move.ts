// The way of a phone to a page with another storage: the same phone over HTTPS, at the laptop's new address, or on the
// Home Screen. The old page asks for a pass and puts it into the address of the new one; the new page changes it at once.
//
// What stood in the address is worth nothing after that: the pass that is kept was asked for by the new page, and its
// first use ends the one before. Entries never move, so the old page must have sent its own.

import { answer, Unreachable, type Api } from "@showdesk/api";
import * as v from "valibot";

import { askMe, askWho, leaveShow, OtherShowFirst, standing, type Session } from "./session.ts";
import type { MovedOn, Store } from "./store.ts";
import { Renewed } from "./wire.ts";

/** Entries are still here, and they would stay behind. */
export class FinishFirst extends Error {
  override readonly name = "FinishFirst";

  constructor(readonly waiting: number) {
    super("entries have not reached the desk");
  }
}

/** A pass for the page that this phone goes on with. The present one lives until the new one is first used. */
export async function passForMove(api: Api, store: Store, to: MovedOn): Promise<string> {
  await refuseUnsent(store);
  const { token } = v.parse(Renewed, answer(await api.POST("/api/v1/me/token")));
  await store.transaction("rw", [store.ops, store.facts], async () => {
    // Something may have been entered while the desk was asked.
    await refuseUnsent(store);
    await store.setFact("moved_on", to);
  });
  return token;
}

/**
 * Makes this store the phone's. `api` speaks with `pass`, which was carried here and is worth nothing afterwards.
 * Fails while entries of another phone or show are only here.
 */
export async function takeOver(api: Api, pass: string, store: Store, nowMs: number): Promise<Session> {
  const who = await askWho(api);
  const me = await askMe(api);
  if (me === null) throw new Unreachable("not_json");
  const before = await store.fact("session");
  const isOurs = before?.installation_id === who.installation_id && before.device_id === me.device_id;
  const isForeign = before !== undefined && !isOurs;
  if (isForeign) await refuseOthers(store);
  const { token } = v.parse(Renewed, answer(await api.POST("/api/v1/me/token")));
  // What another phone or person left here is neither this one's to send nor to see.
  if (isForeign) await leaveShow(store);
  const session: Session = {
    installation_id: who.installation_id,
    show_name: who.name,
    token,
    token_at_ms: nowMs,
    device_id: me.device_id,
    ...standing(me),
  };
  await store.transaction("rw", store.facts, async () => {
    await store.setFact("session", session);
    await store.setFact("taken_pass", pass);
    // A store that was here before keeps its epoch: the next round finds out if the desk lives in another.
    if ((await store.fact("epoch")) === undefined) await store.setFact("epoch", who.epoch);
    await store.dropFact("joining");
    await store.dropFact("moved_on");
  });
  return session;
}

async function refuseUnsent(store: Store): Promise<void> {
  const waiting = await unsent(store);
  if (waiting > 0) throw new FinishFirst(waiting);
}

async function refuseOthers(store: Store): Promise<void> {
  const waiting = await unsent(store);
  if (waiting > 0) throw new OtherShowFirst(waiting);
}

function unsent(store: Store): Promise<number> {
  return store.ops.where("state").equals("waiting").count();
}
