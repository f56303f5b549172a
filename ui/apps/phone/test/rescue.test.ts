// Entries that go to the desk by hand, and those that are taken back.

import { readRescue } from "@showdesk/sync/rescue";
import { screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { fileName } from "../src/features/rescue/file.ts";
import { show, user } from "./hands.ts";
import { joinedPhone, smallDesk, STEER } from "./phone.ts";

let saved: Blob[] = [];

beforeEach(() => {
  saved = [];
  // jsdom has no files to save to.
  URL.createObjectURL = (blob: Blob) => {
    saved.push(blob);
    return "blob:copy";
  };
  URL.revokeObjectURL = () => undefined;
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** A phone with entries while its desk is away. */
async function phoneAway(pens: readonly string[]) {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.isDown = true;
  for (const pen of pens) await phone.add({ table: "animals", id: STEER, operation: "update", data: { pen } });
  await phone.engine.settled();
  return { desk, phone };
}

async function savedText(): Promise<string> {
  const [blob] = saved;
  if (blob === undefined) throw new Error("nothing was saved");
  return await blob.text();
}

test("entries that cannot reach the laptop are saved as a file, and stay", async () => {
  const { phone } = await phoneAway(["B-1", "B-2", "B-3"]);
  show(phone, "#/waiting");
  expect(await screen.findByText(/Hand your 3 entries to the desk another way/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Save file" }));
  expect(await screen.findByText(/^Saved as showdesk-maria-lopez-.*json\. Give it to the desk\.$/)).toBeVisible();
  expect(readRescue(await savedText()).pushes[0]?.ops.map((op) => op.data["pen"])).toEqual(["B-1", "B-2", "B-3"]);
  expect(phone.status.waiting).toBe(3);
});

test("while entries go out by themselves nothing is offered", async () => {
  const { desk, phone } = await phoneAway(["B-1"]);
  show(phone, "#/waiting");
  expect(await screen.findByRole("button", { name: "Save file" })).toBeVisible();
  desk.isDown = false;
  await user.click(screen.getByRole("button", { name: "Try now" }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Save file" })).toBeNull());
});

test("entries are shown as codes, one after the other", async () => {
  const { phone } = await phoneAway(["B-1", "B-2"]);
  show(phone, "#/waiting");
  await user.click(await screen.findByRole("button", { name: "Show QR" }));
  const first = await screen.findByRole("img", { name: /^Code 1 of \d$/ });
  const pictureOf = (image: HTMLElement) => image.querySelectorAll("path")[1]?.getAttribute("d") ?? "";
  const before = pictureOf(first);
  expect(before.length).toBeGreaterThan(1_000);
  await user.click(screen.getByRole("button", { name: "Next code" }));
  expect(pictureOf(screen.getByRole("img", { name: /^Code 2 of \d$/ }))).not.toBe(before);
  while (screen.queryByRole("button", { name: "Next code" })) {
    await user.click(screen.getByRole("button", { name: "Next code" }));
  }
  await user.click(screen.getByRole("button", { name: "Done" }));
  expect(screen.queryByRole("img", { name: /^Code/ })).toBeNull();
});

test("a removed phone can still hand its entries over", async () => {
  const { desk, phone } = await phoneAway(["B-1"]);
  desk.isDown = false;
  desk.refusal = { status: 403, body: { code: "device_removed" } };
  phone.engine.sync();
  await phone.engine.settled();
  show(phone, "#/waiting");
  expect(await screen.findByText("This phone was removed – 1 entry to hand over")).toBeVisible();
  await user.click(await screen.findByRole("button", { name: "Save file" }));
  await screen.findByText(/^Saved as/);
  expect(readRescue(await savedText()).pushes[0]?.ops).toHaveLength(1);
});

test("a file of another phone is taken in, sent, and known the second time", async () => {
  const { phone: away } = await phoneAway(["B-1", "B-2"]);
  show(away, "#/waiting");
  await user.click(await screen.findByRole("button", { name: "Save file" }));
  await screen.findByText(/^Saved as/);
  const file = new File([await savedText()], "copy.json", { type: "application/json" });
  document.body.replaceChildren();
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  show(phone, "#/more");
  await user.upload(await screen.findByLabelText(/Take in a file/), file);
  expect(await screen.findByText("2 entries taken in")).toBeVisible();
  expect(screen.getByText("Entered by Maria Lopez, sent in your name.")).toBeVisible();
  await waitFor(() => expect(desk.rows.get(`animals/${STEER}`)?.data["pen"]).toBe("B-2"));
  await user.upload(screen.getByLabelText(/Take in a file/), file);
  expect(await screen.findByText("0 entries taken in")).toBeVisible();
});

test("when the phone comes back after all, its entries are told as handed in", async () => {
  const { desk, phone } = await phoneAway(["B-1"]);
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "rejected", error: { code: "op_id_reused", detail: "Reused." } });
  desk.isDown = false;
  phone.engine.sync();
  await phone.engine.settled();
  show(phone, "#/waiting");
  expect(await screen.findByText("It was already handed in another way.")).toBeVisible();
  expect(screen.queryByText(/can still apply it/)).toBeNull();
});

test("a file that is something else is refused in words", async () => {
  const phone = await joinedPhone(smallDesk(), ["checkin"]);
  show(phone, "#/more");
  const input = await screen.findByLabelText(/Take in a file/);
  await user.upload(input, new File(["{}"], "other.json", { type: "application/json" }));
  expect(await screen.findByText("Nothing was taken in")).toBeVisible();
  expect(screen.getByText("This is not a file that a phone saved for the desk.")).toBeVisible();
});

test("an own disputed entry is taken back after a question", async () => {
  const desk = smallDesk();
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "conflict", conflict_id: "c1", contested: ["tag"] });
  const phone = await joinedPhone(desk, ["superintendent"]);
  const op = await phone.add({ table: "animals", id: STEER, operation: "update", data: { tag: "0414" } });
  await phone.engine.settled();
  const open = { id: "c1", kind: "update_update", status: "open", rev: 1, table_name: "animals", record_id: STEER };
  const values = { server_data: { tag: "0413" }, client_data: { tag: "0414" }, contested: ["tag"] };
  desk.checks = [{ ...open, ...values, op_ids: [op.op_id], opened_at: "2026-11-22T09:31:00.000Z" }];
  desk.put("animals", STEER, { tag: "0413", species: "cattle" }, ["tag"]);
  phone.engine.sync();
  await phone.engine.settled();
  show(phone, "#/checks");
  await user.click(await screen.findByRole("button", { name: "Mine was a mistake" }));
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(phone.status.checking).toBe(1);
  await user.click(screen.getByRole("button", { name: "Mine was a mistake" }));
  await user.click(screen.getByRole("button", { name: "Take mine back" }));
  await waitFor(() => expect(phone.status.checking).toBe(0));
  expect((await phone.store.ops.get(op.op_id))?.decision).toMatchObject({ resolution: "withdrawn" });
});

test("a file's name says who and when, in letters that every disk takes", () => {
  const at = new Date("2026-08-07T09:14:03Z");
  expect(fileName("Zoë O'Brien / ../", at)).toBe("showdesk-zoe-o-brien-20260807-0914.json");
  expect(fileName("李", at)).toBe("showdesk-phone-20260807-0914.json");
});
