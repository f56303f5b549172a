// A phone that has joined a small show, for tests of screens.

import { newStore, FakeDesk, MemoryShelf } from "@showdesk/sync/testing";
import { onTestFinished } from "vitest";

import { Phone } from "../src/phone.svelte.ts";

export const STEER = "0190a000-0000-7000-8000-000000000001";
export const HEIFER = "0190a000-0000-7000-8000-000000000002";
const EMMA = "0190a000-0000-7000-8000-00000000000e";

/** A desk with two animals of one exhibitor. */
export function smallDesk(stage: string = "B"): FakeDesk {
  const desk = new FakeDesk();
  desk.put("shows", "show", { name: "Prairie Fork Fair", stage, weight_unit: "lb", timezone: "UTC" });
  const club = "Lincoln 4-H";
  desk.put("exhibitors", EMMA, { first_name: "Emma", last_name: "Kolar", back_number: 137, club_chapter: club });
  const both = { exhibitor_id: EMMA, species: "cattle", arrived_at: null, prev_tags: [] };
  const start = { init_weight_x10: 7420, init_weighed_on: "2026-03-14" };
  desk.put("animals", STEER, { ...both, ...start, tag: "0412", sex: "steer", breed: "Hereford", pen: "C-14" });
  desk.put("animals", HEIFER, { ...both, tag: "0877", sex: "heifer", breed: "Angus", prev_tags: ["0397"] });
  return desk;
}

/** A phone with these functions whose first sync is done. */
export async function joinedPhone(desk: FakeDesk, functions: readonly string[]): Promise<Phone> {
  const store = await newStore(desk, functions);
  const phone = new Phone({ baseUrl: "http://desk.test", store, send: desk.send, shelf: new MemoryShelf() });
  onTestFinished(async () => {
    await phone.engine.stop();
    store.close();
  });
  await phone.open();
  await phone.engine.settled();
  return phone;
}
