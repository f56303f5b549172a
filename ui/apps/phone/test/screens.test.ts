import { FakeDesk, emptyStore } from "@showdesk/sync/testing";
import { FIRST_STATUS, type SyncStatus } from "@showdesk/sync";
import { render, screen, waitFor } from "@testing-library/svelte";
import { expect, onTestFinished, test, vi } from "vitest";

import SyncChip from "../src/parts/SyncChip.svelte";
import { Phone } from "../src/phone.svelte.ts";
import { findByPad, lastOp, press, show, STRIP, user } from "./hands.ts";
import { HEIFER, joinedPhone, smallDesk, STEER } from "./phone.ts";

test.each<[Partial<SyncStatus>, string]>([
  [{ link: "near", lastSentMs: Date.parse("2026-11-22T09:41:00Z") }, "All sent 9:41"],
  [{ link: "near", waiting: 3 }, "3 waiting"],
  [{ link: "near", waiting: 3, sending: { done: 1, total: 3 } }, "Sending 2 of 3"],
  [{ link: "near", waiting: 1, sending: { done: 0, total: 1 } }, "1 waiting"],
  [{}, "Looking for laptop"],
  [{ link: "near" }, "Loading show"],
  [{ link: "away", waiting: 3 }, "3 kept"],
  [{ link: "away" }, "Away"],
  [{ link: "near", checking: 1 }, "1 needs checking"],
  [{ link: "near", checking: 2 }, "2 need checking"],
  [{ access: "removed", waiting: 3 }, "3 to hand over"],
  [{ access: "removed" }, "Removed"],
  [{ access: "signed_out", waiting: 3 }, "Join again"],
  [{ access: "too_old" }, "Reload page"],
  [{ access: "full" }, "Laptop is full"],
])("the chip of %j says %j", (status, text) => {
  const opened: string[] = [];
  const onopen = (place: string) => void opened.push(place);
  render(SyncChip, { status: { ...FIRST_STATUS, ...status }, timeZone: "UTC", onopen });
  const place = text.includes("checking") ? "my checks" : "waiting list";
  const chip = screen.getByRole("button", { name: `Entries: ${text}. Open ${place}` });
  expect(chip).toHaveTextContent(text);
  chip.click();
  expect(opened).toEqual([place === "my checks" ? "checks" : "waiting"]);
});

test("a phone joins: name, number, Allow, work", async () => {
  const desk = smallDesk();
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: desk.send });
  onTestFinished(() => phone.engine.stop());
  await phone.open();
  show(phone, "#/join/c0de.7C3FA921");
  expect(await screen.findByRole("button", { name: "Join the show" })).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: "Your name" }), "Maria Lopez");
  await user.click(screen.getByRole("button", { name: "Join the show" }));
  expect(await screen.findByText("4821")).toBeVisible();
  expect(screen.getByText("Scale and check-in")).toBeVisible();
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
  await user.type(await screen.findByRole("textbox", { name: "Your name" }), "Maria{Enter}");
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
  await user.click(screen.getByRole("button", { name: "Check in 0412" }));
  expect(await screen.findByText("0412 checked in", STRIP)).toBeVisible();
  expect((await lastOp(phone))?.data).toMatchObject({ id_check: "match", arrived_by: "maria" });
  expect(await screen.findByText("1 left to check in")).toBeVisible();
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
  expect(await screen.findByText("1,286 lb saved", STRIP)).toBeVisible();
  expect(screen.getByText("1,286 lb saved", { selector: "[role=status]" })).toBeInTheDocument();
  expect(await lastOp(phone)).toMatchObject({
    table_name: "weigh_ins",
    operation: "insert",
    state: "waiting",
    data: { animal_id: HEIFER, weight_x10: 12860, kind: "arrival", unit: "lb", tag_read: "0877" },
  });
  await user.click(screen.getByRole("button", { name: "Undo" }));
  expect(await screen.findByText("1,286 lb taken back", STRIP)).toBeVisible();
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
  expect(await screen.findByText("500 lb saved", STRIP)).toBeVisible();
});

test("an entry that could not be stored is never called saved", async () => {
  const phone = await joinedPhone(smallDesk(), ["scale"]);
  const full = new DOMException("full", "QuotaExceededError");
  vi.spyOn(phone.store.ops, "add").mockImplementation(() => Promise.reject(full) as never);
  show(phone, `#/weigh-in/${HEIFER}`);
  await press("1286");
  await user.click(screen.getByRole("button", { name: "Save & next" }));
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("Not saved: phone storage is full");
  expect(alert).toHaveTextContent("Weight 1,286 lb for 0877 is only on this screen.");
  expect(screen.queryByText("1,286 lb saved")).toBeNull();
  expect(screen.getByRole("textbox", { name: "Weight in pounds" })).toHaveValue("1,286");
});

test("a superintendent fixes a tag, and the animal is still found by the old one", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["superintendent"]);
  desk.isDown = true;
  show(phone, `#/tag/${STEER}`);
  await user.type(await screen.findByRole("textbox", { name: "New tag" }), "0877");
  expect(screen.getByText("0877 is already on another animal")).toBeVisible();
  await user.clear(screen.getByRole("textbox", { name: "New tag" }));
  await user.type(screen.getByRole("textbox", { name: "New tag" }), "0413b");
  await user.click(screen.getByRole("button", { name: "Save tag" }));
  expect(await screen.findByText("Tag 0412 is now 0413B", STRIP)).toBeVisible();
  expect(await lastOp(phone)).toMatchObject({ data: { tag: "0413B" }, base: { tag: "0412" } });
  history.replaceState(null, "", "#/check-in");
  window.dispatchEvent(new HashChangeEvent("hashchange"));
  await user.type(await screen.findByRole("textbox", { name: "Find by any number" }), "0412");
  expect(await screen.findByRole("button", { name: /0413B/ })).toBeVisible();
});

test("a phone without a show says how to join", async () => {
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: new FakeDesk().send });
  await phone.open();
  show(phone, "#/work");
  expect(await screen.findByText("Scan the code at the desk")).toBeVisible();
});
