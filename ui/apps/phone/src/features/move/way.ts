// The way to another page of this phone, and the arrival there. Both need the laptop, so they are not on the first load.

import type { MovedOn } from "@showdesk/sync";
import { passForMove, takeOver } from "@showdesk/sync/move";

import type { Phone } from "../../phone.svelte.ts";
import { hashOf } from "../../router.svelte.ts";

/** The address of the page that this phone goes on with, with a pass in it. Fails while an entry is only here. */
export async function wayTo(phone: Phone, to: MovedOn): Promise<string> {
  const pass = await passForMove(phone.api, phone.store, to);
  phone.movedOn = to;
  return `${to.address}/${hashOf({ name: "moved", pass })}`;
}

/** Makes this page the phone's, with a pass that was carried here. */
export async function arrive(phone: Phone, pass: string): Promise<void> {
  await takeOver(phone.apiWith(pass), pass, phone.store, Date.now());
  await phone.joined();
}
