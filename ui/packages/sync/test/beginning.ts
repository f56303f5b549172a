// How the tests of one phone at one desk begin: a few animals, and a phone that has joined and synced once.

import { afterEach, beforeEach } from "vitest";

import type { Store } from "../src/store.ts";
import { FakeDesk, newStore, TestPhone } from "./fake-desk.ts";

export const ANIMAL = "0190a000-0000-7000-8000-000000000001";
export const OTHER = "0190a000-0000-7000-8000-000000000002";

export let desk: FakeDesk;
export let store: Store;
export let phone: TestPhone;

/** Each test of the file that calls this has a desk, a store and a phone of its own. */
export function beginWithOnePhone(furnish: (desk: FakeDesk) => void = twoAnimals): void {
  beforeEach(async () => {
    desk = new FakeDesk();
    furnish(desk);
    store = await newStore(desk);
    phone = new TestPhone(desk, store);
    await phone.engine.start();
    await phone.engine.settled();
  });

  afterEach(async () => {
    await phone.engine.stop();
    store.close();
  });
}

function twoAnimals(there: FakeDesk): void {
  there.put("animals", ANIMAL, { tag: "0412", pen: "B10" });
  there.put("animals", OTHER, { tag: "0500", pen: "C1" });
}
