// Waiting, My checks and More: how the own entries stand, what became of them, and the way out of the show.

import { screen, waitFor, within } from "@testing-library/svelte";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

import { later } from "../src/later.ts";
import type { Phone } from "../src/phone.svelte.ts";
import { show, user } from "./hands.ts";
import { joinedPhone, smallDesk, STEER } from "./phone.ts";

const AT = "2026-11-22T09:31:00.000Z";

beforeEach(() => localStorage.clear());

/** Changes the pen of the steer and waits until the phone has tried to send it. */
async function movePen(phone: Phone, pen: string) {
  const op = await phone.add({ table: "animals", id: STEER, operation: "update", data: { pen } });
  await phone.engine.settled();
  return op;
}

/** A phone whose one entry is disputed, told by the desk as `view`. */
async function phoneWithCheck(view: Record<string, unknown>) {
  const desk = smallDesk();
  const isOpen = view["status"] === "open";
  if (isOpen) desk.verdict = (op) => ({ op_id: op.op_id, verdict: "conflict", conflict_id: "c1", contested: ["pen"] });
  const phone = await joinedPhone(desk, ["checkin"]);
  const op = await movePen(phone, "B-9");
  const values = { base_data: { tag: "0412", pen: "C-14" }, server_data: { pen: "B-7" }, client_data: { pen: "B-9" } };
  const check = {
    id: "c1",
    kind: "update_update",
    rev: 2,
    table_name: "animals",
    record_id: STEER,
    contested: ["pen"],
  };
  desk.checks = [{ ...check, ...values, op_ids: [op.op_id], opened_at: AT, resolved_at: isOpen ? null : AT, ...view }];
  desk.put("animals", STEER, { tag: "0412", species: "cattle", pen: "B-7" }, ["pen"]);
  phone.engine.sync();
  await phone.engine.settled();
  show(phone, "#/checks");
  await screen.findByRole("heading", { name: "My checks" });
  return { desk, phone };
}

test("while the desk is away the waiting list says that entries are safe, since when, and what comes next", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.isDown = true;
  await movePen(phone, "B-2");
  show(phone, "#/waiting");
  expect(await screen.findByText("Away from laptop – 1 kept on this phone")).toBeVisible();
  expect(screen.getByText(/Your entries are safe here/)).toBeVisible();
  expect(screen.getByText("Made just now")).toBeInTheDocument();
  expect(await screen.findByText(/Next try in/)).toBeVisible();
  desk.isDown = false;
  await user.click(screen.getByRole("button", { name: "Try now" }));
  expect(await screen.findByText("Nothing is waiting.")).toBeVisible();
  expect(screen.getByText("Everything has reached the laptop.")).toBeVisible();
  expect(screen.getByText("Back to work")).toBeVisible();
});

test("an entry that waits at the desk for another one is not called disputed", async () => {
  const desk = smallDesk();
  const waiting_for = { table_name: "animals", record_id: STEER };
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "held", waiting_for });
  const phone = await joinedPhone(desk, ["checkin"]);
  await movePen(phone, "B-2");
  show(phone, "#/waiting");
  expect(await screen.findByRole("heading", { name: "At the desk" })).toBeVisible();
  expect(screen.getByText(/They wait there for an entry that came before them/)).toBeVisible();
  expect(screen.queryByText("Being checked")).toBeNull();
});

test("a refused entry says why, until the person has read it", async () => {
  const desk = smallDesk();
  const error = { code: "locked", detail: "this cannot be changed in stage C of the show" };
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "rejected", error });
  const phone = await joinedPhone(desk, ["checkin"]);
  await movePen(phone, "B-2");
  show(phone, "#/waiting");
  expect(await screen.findByText(/^This cannot be changed in stage C of the show\. The desk/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "OK" }));
  await waitFor(() => expect(screen.queryByText(/cannot be changed in stage C/)).toBeNull());
  await waitFor(() => expect(phone.status.checking).toBe(0));
});

test("a phone that the desk forgot is told to join again, and that nothing is lost", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.refusal = { status: 401, body: { code: "unknown_token" } };
  await movePen(phone, "B-2");
  show(phone, "#/waiting");
  expect(await screen.findByText(/Scan the code at the desk again, and they go out by themselves/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Join again" }));
  expect(await screen.findByText("Scan the code at the desk")).toBeVisible();
});

test("a laptop at another address is told, and the page is moved only when it holds nothing", async () => {
  const desk = smallDesk();
  desk.addresses = ["http://10.0.0.7:7420"];
  const phone = await joinedPhone(desk, ["checkin"]);
  phone.engine.sync();
  await phone.engine.settled();
  desk.host = "10.0.0.7";
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "retry", after_ms: 60_000 });
  await movePen(phone, "B-2");
  show(phone, "#/waiting");
  expect(await screen.findByText(/The laptop has moved to a new address/)).toHaveTextContent(
    "Stay on this page until 1 entry is sent there.",
  );
  expect(screen.queryByRole("button", { name: /10\.0\.0\.7/ })).toBeNull();
  desk.verdict = () => null;
  await phone.store.ops.toCollection().modify({ not_before_ms: 0 });
  phone.engine.sync();
  await phone.engine.settled();
  expect(await screen.findByRole("button", { name: "Open the show at 10.0.0.7:7420" })).toBeVisible();
});

test("a decision says by whom, what was kept and why, and is answered with OK", async () => {
  const decision = {
    resolution: "server_wins",
    by_name: "Dan",
    at: AT,
    reason: "Saw it there",
    values: { pen: "B-7" },
  };
  await phoneWithCheck({ status: "resolved", decisions: [decision] });
  const card = await screen.findByRole("region", { name: "Tag 0412, pen" });
  expect(card).toHaveTextContent("Decided by Dan: B-7 kept. Yours was B-9.");
  expect(within(card).getByText("9:31. “Saw it there”")).toBeVisible();
  await user.click(within(card).getByRole("button", { name: "OK" }));
  expect(await screen.findByRole("heading", { name: "Earlier" })).toBeVisible();
  expect(screen.getByText("B-7 kept")).toBeVisible();
  expect(screen.queryByRole("button", { name: "I disagree" })).toBeNull();
});

test("what the desk asks comes first, is answered, and the answer stays to be read", async () => {
  const asked = { id: "q1", at: AT, by: { id: "dan", name: "Dan" }, text: "Which barn?", answer: null };
  const { desk } = await phoneWithCheck({ status: "open", asked });
  expect(await screen.findByRole("heading", { name: "The desk asks you" })).toBeVisible();
  expect(screen.getByText("“Which barn?”")).toBeVisible();
  expect(screen.getByRole("button", { name: "Send to the desk" })).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: "Your answer" }), "The red one");
  desk.isDown = true;
  await user.click(screen.getByRole("button", { name: "Send to the desk" }));
  expect(await screen.findByText(/your answer is not sent yet/)).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Your answer" })).toHaveValue("The red one");
  desk.isDown = false;
  await user.click(screen.getByRole("button", { name: "Send to the desk" }));
  expect(await screen.findByText("“The red one”")).toBeVisible();
  expect(screen.getByRole("heading", { name: "Being checked" })).toBeVisible();
});

test("an answer to a question that the desk has replaced is not sent, and the new question is shown", async () => {
  const asked = { id: "q1", at: AT, by: { id: "dan", name: "Dan" }, text: "Which barn?", answer: null };
  const { desk } = await phoneWithCheck({ status: "open", asked });
  await user.type(await screen.findByRole("textbox", { name: "Your answer" }), "The red one");
  desk.checks = desk.checks.map((check) => ({
    ...(check as object),
    asked: { ...asked, id: "q2", text: "Which pen?" },
  }));
  await user.click(screen.getByRole("button", { name: "Send to the desk" }));
  expect(await screen.findByText("“Which pen?”")).toBeVisible();
  expect(screen.getByText(/Your last answer was not sent/)).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Your answer" })).toHaveValue("");
});

test("the other side is called the laptop only where it was one", async () => {
  const server_author = { id: "joel", name: "Joel", device_kind: "phone" };
  await phoneWithCheck({ status: "open", server_author });
  const card = await screen.findByRole("region", { name: "Tag 0412, pen" });
  expect(within(card).getByText("Joel")).toBeVisible();
  expect(within(card).queryByText(/Laptop/)).toBeNull();
});

test.each([
  ["withdrawn", "You took yours back."],
  ["superseded", "Both had the same in the end."],
  ["merged_automatically", "A rule of the show decided."],
])("a check that ended as %s says how", async (status, text) => {
  await phoneWithCheck({ status });
  expect(await screen.findByText(text)).toBeVisible();
});

test("the show is not left while an entry is only here", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.isDown = true;
  await movePen(phone, "B-2");
  show(phone, "#/more");
  await user.click(await screen.findByRole("button", { name: /Leave the show/ }));
  expect(await screen.findByRole("dialog", { name: "Finish sending first, 1 waiting" })).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Open the waiting list" }));
  expect(await screen.findByRole("heading", { name: "Waiting" })).toBeVisible();
  expect(phone.session).toBeDefined();
});

test("a show that is left is forgotten, and the phone can join again", async () => {
  const phone = await joinedPhone(smallDesk(), ["checkin"]);
  show(phone, "#/more");
  await user.click(await screen.findByRole("button", { name: /Leave the show/ }));
  const sheet = await screen.findByRole("dialog", { name: "Leave Prairie Fork Fair?" });
  await user.click(within(sheet).getByRole("button", { name: "Leave the show" }));
  expect(await screen.findByText("Scan the code at the desk")).toBeVisible();
  await waitFor(() => expect(location.hash).toBe("#/join"));
  expect(await phone.store.rows.count()).toBe(0);
});

test("colours follow the person, and sun mode comes before them", async () => {
  show(await joinedPhone(smallDesk(), []), "#/more");
  const root = document.documentElement;
  onTestFinished(() => {
    delete root.dataset["sun"];
  });
  await user.click(await screen.findByRole("button", { name: "Dark" }));
  expect(root.dataset["theme"]).toBe("dark");
  await user.click(screen.getByRole("switch", { name: /Sun mode/ }));
  expect(root.dataset["theme"]).toBe("light");
  expect(screen.getByText("Off while sun mode is on")).toBeVisible();
});

test("a browser without sound says so, and what to do instead", async () => {
  vi.stubGlobal("AudioContext", undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  Reflect.deleteProperty(window, "AudioContext");
  show(await joinedPhone(smallDesk(), []), "#/more");
  await user.click(await screen.findByRole("button", { name: /Test the sound/ }));
  expect(await screen.findByText("This browser plays no sound")).toBeVisible();
});

test("later screens are loaded together", async () => {
  expect(Object.keys(await later())).toEqual(expect.arrayContaining(["Checks", "More", "Waiting"]));
});
