// Two tabs of one phone, each with a connection of its own to the same store.

import { expect, onTestFinished, test } from "vitest";

import { LEASE_MS, takeLead } from "../src/leader.ts";
import { Store } from "../src/store.ts";
import type { TabNews, Tabs } from "../src/tabs.ts";
import { FakeDesk, newStore, TestPhone } from "./fake-desk.ts";

const ANIMAL = "0190a000-0000-7000-8000-000000000001";

/** What a BroadcastChannel does: everybody but the speaker hears it. */
class Channel {
  readonly #ends: Set<(news: TabNews) => void> = new Set();

  end(): Tabs {
    let own: (news: TabNews) => void = () => undefined;
    return {
      hears: true,
      tell: (news) => [...this.#ends].filter((end) => end !== own).forEach((end) => end(structuredClone(news))),
      listen: (onNews) => {
        own = onNews;
        this.#ends.add(onNews);
      },
      close: () => this.#ends.delete(own),
    };
  }
}

async function twoTabs() {
  const desk = new FakeDesk();
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B10" });
  const firstStore = await newStore(desk);
  const secondStore = new Store(firstStore.name);
  const channel = new Channel();
  const first = new TestPhone(desk, firstStore, "tab-1", channel.end());
  const second = new TestPhone(desk, secondStore, "tab-2", channel.end());
  // So that the desk can tell who asks.
  [first.token, second.token] = ["of-tab-1", "of-tab-2"];
  for (const tab of [first, second]) {
    await tab.engine.start();
    await tab.engine.settled();
  }
  onTestFinished(async () => {
    for (const tab of [first, second]) await tab.engine.stop();
    firstStore.close();
    secondStore.close();
  });
  const settled = async () => {
    for (let i = 0; i < 3; i += 1) for (const tab of [first, second]) await tab.engine.settled();
  };
  return { desk, first, second, settled };
}

const penIn = (tab: TestPhone) => tab.engine.view.row("animals", ANIMAL)?.data["pen"];

test("one tab leads: its rounds are the only ones", async () => {
  const { desk, first, second, settled } = await twoTabs();
  await second.engine.add({ table: "animals", id: ANIMAL, operation: "update", data: { pen: "B11" } });
  await second.round();
  await settled();
  expect(desk.rows.get(`animals/${ANIMAL}`)?.data["pen"]).toBe("B11");
  expect([...desk.tokens]).toEqual(["Bearer of-tab-1"]);
  expect((await first.store.fact("lease"))?.tab).toBe("tab-1");
});

test("what the leader pulls is seen in the other tab", async () => {
  const { desk, first, second } = await twoTabs();
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B11" });
  await first.round();
  await expect.poll(() => penIn(second)).toBe("B11");
});

test("an entry of the other tab is sent by the leader, and both tabs learn that it is", async () => {
  const { desk, first, second, settled } = await twoTabs();
  await second.engine.add({ table: "animals", id: ANIMAL, operation: "update", data: { pen: "B12" } });
  await settled();
  expect(desk.rows.get(`animals/${ANIMAL}`)?.data["pen"]).toBe("B12");
  await expect.poll(() => [penIn(first), penIn(second)]).toEqual(["B12", "B12"]);
  await expect.poll(() => second.engine.status).toMatchObject({ waiting: 0, link: "near" });
});

test("entries of both tabs share one count and one chain", async () => {
  const { desk, first, second } = await twoTabs();
  desk.isDown = true;
  const edit = (tab: TestPhone, pen: string) =>
    tab.engine.add({ table: "animals", id: ANIMAL, operation: "update", data: { pen } });
  const ops = await Promise.all([first, second, first, second].map((tab, i) => edit(tab, `P${i}`)));
  const inOrder = ops.sort((a, b) => a.device_seq - b.device_seq);
  expect(inOrder.map((op) => op.device_seq)).toEqual([1, 2, 3, 4]);
  expect(inOrder.slice(1).map((op) => op.prev_op_id)).toEqual(inOrder.slice(0, -1).map((op) => op.op_id));
});

test("a leader that was frozen is followed by the other tab", async () => {
  const { desk, second } = await twoTabs();
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B13" });
  second.nowMs += LEASE_MS;
  await second.round();
  expect(penIn(second)).toBe("B13");
  expect((await second.store.fact("lease"))?.tab).toBe("tab-2");
});

test("a leader that is hidden lets the other tab lead at once", async () => {
  const { desk, first, second } = await twoTabs();
  first.wish("hide");
  await expect.poll(() => first.store.fact("lease")).toBeUndefined();
  desk.put("animals", ANIMAL, { tag: "0412", pen: "B14" });
  await second.round();
  expect(penIn(second)).toBe("B14");
});

test("the lease of a page that was killed is taken at once", async () => {
  const { desk, first, second } = await twoTabs();
  // Killed: it says nothing any more, and its lease stands.
  await first.engine.rest();
  await takeLead(first.store, "tab-1", first.nowMs);
  await second.engine.add({ table: "animals", id: ANIMAL, operation: "update", data: { pen: "B15" } });
  await second.engine.settled();
  expect(desk.rows.get(`animals/${ANIMAL}`)?.data["pen"]).toBe("B15");
  expect((await second.store.fact("lease"))?.tab).toBe("tab-2");
});

const notices = (tab: TestPhone) => tab.engine.inbox.items.map(({ id, own, told }) => `${id} ${own} ${told}`);

test("one tab hears messages for both, and an answer in the other goes out through it", async () => {
  const { desk, first, second, settled } = await twoTabs();
  expect([first.engine.hasStream, second.engine.hasStream]).toEqual([true, false]);
  desk.tell("storm", { priority: "urgent", needs_ack: true });
  await expect.poll(() => notices(second)).toEqual(["storm delivered delivered"]);
  await second.engine.inbox.raise(["storm"], "confirmed");
  await settled();
  await expect
    .poll(() => [notices(first), notices(second)])
    .toEqual([["storm confirmed confirmed"], ["storm confirmed confirmed"]]);
  expect(desk.acks.map(({ state }) => state)).toEqual(["delivered", "confirmed"]);
  expect([...desk.tokens]).toEqual(["Bearer of-tab-1"]);
});

test("a tab that was hidden stops hearing once another leads: nobody hears a message twice", async () => {
  const { desk, first, second, settled } = await twoTabs();
  first.wish("hide");
  await expect.poll(() => first.store.fact("lease")).toBeUndefined();
  await second.round();
  await expect.poll(() => [first.engine.hasStream, second.engine.hasStream]).toEqual([false, true]);
  const heard: string[] = [];
  for (const tab of [first, second])
    tab.engine.inbox.onArrived((arrived) => heard.push(...arrived.map(({ id }) => id)));
  desk.tell("lunch");
  await settled();
  await expect.poll(() => notices(first)).toEqual(["lunch delivered delivered"]);
  expect(heard).toEqual(["lunch"]);
});
