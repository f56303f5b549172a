import { FakeDesk, emptyStore } from "@showdesk/sync/testing";
import { FIRST_STATUS, type SyncStatus } from "@showdesk/sync";
import { render, screen, waitFor, within } from "@testing-library/svelte";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

import App from "../src/App.svelte";
import SyncChip from "../src/parts/SyncChip.svelte";
import { Phone } from "../src/phone.svelte.ts";
import { HEIFER, joinedPhone, smallDesk, STEER } from "./phone.ts";

const user = userEvent.setup();

beforeEach(() => {
  history.replaceState(null, "", "#/work");
});

function show(phone: Phone, hash: string) {
  history.replaceState(null, "", hash);
  render(App, { phone });
}

/** A fresh entry of the phone, as it is stored. */
const lastOp = async (phone: Phone) => (await phone.store.ops.orderBy("device_seq").last()) ?? null;

async function press(digits: string) {
  const pad = screen.getByRole("region", { name: "Number pad" });
  for (const digit of digits) await user.click(within(pad).getByRole("button", { name: digit }));
}

async function findByPad(digits: string) {
  await press(digits);
  await user.click(screen.getByRole("button", { name: "Find" }));
}

test.each<[Partial<SyncStatus>, string]>([
  [{ link: "near", lastSentMs: Date.parse("2026-11-22T09:41:00Z") }, "All sent 9:41"],
  [{ link: "near", waiting: 3 }, "3 waiting"],
  [{ link: "near", waiting: 3, sending: { done: 1, total: 3 } }, "Sending 2 of 3"],
  [{ link: "away", waiting: 3 }, "3 kept"],
  [{ link: "away" }, "Away"],
  [{ link: "near", checking: 1 }, "1 needs checking"],
  [{ link: "near", checking: 2 }, "2 need checking"],
  [{ access: "removed", waiting: 3 }, "3 to hand over"],
  [{ access: "signed_out", waiting: 3 }, "Join again"],
])("the chip of %j says %j", (status, text) => {
  render(SyncChip, { status: { ...FIRST_STATUS, ...status }, timeZone: "UTC", onopen: () => undefined });
  expect(screen.getByRole("button", { name: `Entries: ${text}. Open waiting list` })).toHaveTextContent(text);
});

test("a phone joins: name, number, Allow, work", async () => {
  const desk = smallDesk();
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: desk.send });
  onTestFinished(() => phone.engine.stop());
  await phone.open();
  show(phone, "#/join/c0de.7C3FA921");
  expect(screen.getByRole("button", { name: "Join" })).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: "Your name" }), "Maria Lopez");
  await user.click(screen.getByRole("button", { name: "Join" }));
  expect(await screen.findByText("4821")).toBeVisible();
  expect(desk.claims).toEqual([{ code: "c0de", device_name: "Maria Lopez", platform: "web" }]);
  const person = { user: { id: "maria", name: "Maria Lopez" }, device_id: "d1", functions: ["scale"] };
  desk.pairing = { status: "approved", token: "lsd_new", ...person };
  expect(await screen.findByRole("button", { name: /^Weigh-in/ }, { timeout: 5_000 })).toBeVisible();
  expect(screen.queryByRole("button", { name: /^Check-in/ })).toBeNull();
  await phone.engine.settled();
  expect(await screen.findByRole("heading", { name: "Prairie Fork Fair" })).toBeVisible();
});

test("a used code says what to do", async () => {
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: smallDesk().send });
  await phone.open();
  show(phone, "#/join/0ther");
  await user.type(screen.getByRole("textbox", { name: "Your name" }), "Maria{Enter}");
  expect(await screen.findByText("This code no longer works")).toBeVisible();
});

test("work counts what is done, and what this phone has done", async () => {
  const phone = await joinedPhone(smallDesk(), ["admin"]);
  show(phone, "#/work");
  expect(screen.getByRole("button", { name: /^Weigh-in/ })).toHaveTextContent("0 of 2 weighed");
  const data = { animal_id: STEER, kind: "arrival", weight_x10: 12860, unit: "lb", tag_read: "0412" };
  await phone.add({ table: "weigh_ins", id: "0190a000-0000-7000-8000-0000000000aa", operation: "insert", data });
  await waitFor(() => expect(screen.getByRole("button", { name: /^Weigh-in/ })).toHaveTextContent("1 of 2 weighed"));
  expect(await screen.findByText("0412 1,286 lb")).toBeVisible();
});

test("an animal is checked in by its last digits, and the undo takes it back", async () => {
  const phone = await joinedPhone(smallDesk(), ["checkin"]);
  show(phone, "#/check-in");
  await findByPad("412");
  expect(await screen.findByRole("heading", { name: "Tag 0412" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Fix tag" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Matches" }));
  await user.click(screen.getByRole("button", { name: "Check in" }));
  expect(await screen.findByText("0412 checked in", { selector: ".undo b" })).toBeVisible();
  expect((await lastOp(phone))?.data).toMatchObject({ id_check: "match", arrived_by: "maria" });
  expect(screen.getByText("1 left to check in")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Undo" }));
  await screen.findByText("2 left to check in");
  expect((await lastOp(phone))?.data).toEqual({ arrived_at: null, arrived_by: null, id_check: "unchecked" });
});

test("a weight is stored before it is called saved, and can be taken back", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["scale"]);
  desk.isDown = true;
  show(phone, "#/weigh-in");
  await findByPad("0877");
  expect(await screen.findByText("No weight yet")).toBeVisible();
  await press("1286");
  expect(screen.getByRole("textbox", { name: "Weight in pounds" })).toHaveValue("1,286");
  await user.click(screen.getByRole("button", { name: "Save & next" }));
  expect(await screen.findByText("1,286 lb saved")).toBeVisible();
  expect(await lastOp(phone)).toMatchObject({
    table_name: "weigh_ins",
    operation: "insert",
    state: "waiting",
    data: { animal_id: HEIFER, weight_x10: 12860, kind: "arrival", unit: "lb", tag_read: "0877" },
  });
  await user.click(screen.getByRole("button", { name: "Undo" }));
  expect(await screen.findByText("1,286 lb taken back")).toBeVisible();
  expect((await lastOp(phone))?.reason).not.toBeNull();
});

test("a weight that cannot be is asked about, and the safe answer saves nothing", async () => {
  const phone = await joinedPhone(smallDesk(), ["scale"]);
  show(phone, `#/weigh-in/${STEER}`);
  await press("500");
  await user.click(screen.getByRole("button", { name: "Save & next" }));
  expect(await screen.findByRole("dialog", { name: "Is this weight right?" })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Type it again" }));
  expect(await lastOp(phone)).toBeNull();
  await press("500");
  await user.click(screen.getByRole("button", { name: "Save & next" }));
  await user.click(await screen.findByRole("button", { name: "Yes, save 500 lb" }));
  expect(await screen.findByText("500 lb saved")).toBeVisible();
});

test("an entry that could not be stored is never called saved", async () => {
  const phone = await joinedPhone(smallDesk(), ["scale"]);
  const full = new DOMException("full", "QuotaExceededError");
  vi.spyOn(phone.store.ops, "add").mockImplementation(() => Promise.reject(full) as never);
  show(phone, `#/weigh-in/${HEIFER}`);
  await press("1286");
  await user.click(screen.getByRole("button", { name: "Save & next" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Not saved: phone storage is full");
  expect(screen.queryByText("1,286 lb saved")).toBeNull();
});

test("a superintendent fixes a tag, and the animal is still found by the old one", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["superintendent"]);
  desk.isDown = true;
  show(phone, `#/tag/${STEER}`);
  await user.type(screen.getByRole("textbox", { name: "New tag" }), "0877");
  expect(screen.getByText("0877 is already on another animal")).toBeVisible();
  await user.clear(screen.getByRole("textbox", { name: "New tag" }));
  await user.type(screen.getByRole("textbox", { name: "New tag" }), "0413b");
  await user.click(screen.getByRole("button", { name: "Save tag" }));
  expect(await screen.findByText("Tag 0412 is now 0413B")).toBeVisible();
  expect(await lastOp(phone)).toMatchObject({ data: { tag: "0413B" }, base: { tag: "0412" } });
  history.replaceState(null, "", "#/check-in");
  window.dispatchEvent(new HashChangeEvent("hashchange"));
  await user.type(await screen.findByRole("textbox", { name: "Find by any number" }), "0412");
  expect(await screen.findByRole("button", { name: /0413B/ })).toBeVisible();
});

test("while the desk is away the waiting list says that entries are safe", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.isDown = true;
  await phone.add({ table: "animals", id: STEER, operation: "update", data: { pen: "B-2" } });
  await phone.engine.settled();
  show(phone, "#/waiting");
  expect(await screen.findByText("Away from laptop – 1 kept on this phone")).toBeVisible();
  expect(screen.getByText(/Your entries are safe here/)).toBeVisible();
  expect(screen.getByText("On this phone")).toBeVisible();
  desk.isDown = false;
  await user.click(screen.getByRole("button", { name: "Try now" }));
  expect(await screen.findByText("Nothing is waiting. Everything has reached the laptop.")).toBeVisible();
});

test("an entry that waits at the desk for another one is not called disputed", async () => {
  const desk = smallDesk();
  const waiting_for = { table_name: "animals", record_id: STEER };
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "held", waiting_for });
  const phone = await joinedPhone(desk, ["checkin"]);
  await phone.add({ table: "animals", id: STEER, operation: "update", data: { pen: "B-2" } });
  await phone.engine.settled();
  expect(await lastOp(phone)).toMatchObject({ state: "held", waiting_for });
  show(phone, "#/waiting");
  expect(await screen.findByText("At the desk")).toBeVisible();
  expect(screen.queryByText("Being checked")).toBeNull();
});

test("a refused entry says why, until the person has read it", async () => {
  const desk = smallDesk();
  const error = { code: "locked", detail: "This cannot be changed in stage C of the show." };
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "rejected", error });
  const phone = await joinedPhone(desk, ["checkin"]);
  await phone.add({ table: "animals", id: STEER, operation: "update", data: { pen: "B-2" } });
  await phone.engine.settled();
  show(phone, "#/waiting");
  expect(await screen.findByText(/cannot be changed in stage C/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "OK" }));
  await waitFor(() => expect(screen.queryByText(/cannot be changed in stage C/)).toBeNull());
  expect(phone.status.checking).toBe(0);
});

test("a decision is told, and answered with OK", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["superintendent"]);
  const op = await phone.add({ table: "animals", id: STEER, operation: "update", data: { tag: "0414" } });
  await phone.engine.settled();
  desk.checks = [decidedCheck(op.op_id)];
  desk.put("animals", STEER, { tag: "0413", species: "cattle" }, ["tag"]);
  phone.engine.sync();
  await phone.engine.settled();
  show(phone, "#/checks");
  expect(await screen.findByText("Decided by Dan: tag 0413 kept. Yours was 0414.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "OK" }));
  expect(await screen.findByRole("heading", { name: "Earlier" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "I disagree" })).toBeNull();
});

test("a phone without a show says how to join", async () => {
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: new FakeDesk().send });
  await phone.open();
  show(phone, "#/work");
  expect(await screen.findByText("Scan the code at the desk")).toBeVisible();
});

function decidedCheck(opId: string) {
  const at = "2026-11-22T09:31:00.000Z";
  return {
    id: "c1",
    kind: "update_update",
    status: "resolved",
    rev: 2,
    table_name: "animals",
    record_id: STEER,
    op_ids: [opId],
    base_data: { tag: "0412" },
    server_data: { tag: "0413" },
    client_data: { tag: "0414" },
    contested: ["tag"],
    opened_at: at,
    resolved_at: at,
    decisions: [{ resolution: "server_wins", by_name: "Dan", at, values: { tag: "0413" } }],
  };
}
