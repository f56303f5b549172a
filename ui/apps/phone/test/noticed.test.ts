// What the phone tells the desk of itself: faults and figures, and nothing that a person entered.

import { ApiProblem, Unreachable } from "@showdesk/api";
import { StorageFull } from "@showdesk/sync";
import { type FakeDesk } from "@showdesk/sync/testing";
import { screen } from "@testing-library/svelte";
import { beforeEach, expect, test, vi } from "vitest";

import { faultOf } from "../src/features/noticed/fault.ts";
import { noticeFailures } from "../src/parts/noticing.ts";
import type { Phone } from "../src/phone.svelte.ts";
import { findByPad, show, user } from "./hands.ts";
import { joinedPhone, smallDesk } from "./phone.ts";

const PLACE = { screen: "weigh-in", level: "quick", origin: "http://192.168.1.20:7420" };
const NO_MORE = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };

/** A machine with much else to do is slower, not wrong. */
const PATIENCE_MS = 30_000;
vi.setConfig({ testTimeout: 2 * PATIENCE_MS });

noticeFailures();

beforeEach(() => localStorage.clear());

/** The error as the desk would get it. */
const told = (error: unknown) => faultOf(error, PLACE, 0);

/** One whole round, and what the desk was told with it. */
async function toldAfterARound(phone: Phone, desk: FakeDesk) {
  // Two rounds of one millisecond are one to the page.
  await vi.waitUntil(() => Date.now() > (phone.engine.status.lastSentMs ?? 0));
  phone.engine.sync();
  await phone.engine.settled();
  await vi.waitUntil(() => desk.told.length > 0, { timeout: PATIENCE_MS });
  return desk.told.flatMap(({ data }) => data);
}

test("a message keeps its words and loses what may be somebody's", () => {
  expect(told(new TypeError("Cannot read properties of undefined (reading 'tag')"))).toMatchObject({
    type: "TypeError",
    message: "Cannot read properties of undefined (reading 'tag')",
    context: { page: "weigh-in", level: "quick" },
  });
  expect(told(new Error('Invalid type: Expected number but received "Emma Kolar"'))?.message).toBe(
    "Invalid type: Expected number but received “…”",
  );
  expect(told(new Error("0412 weighs 1286"))?.message).toBe("# weighs #");
  expect(told({ tag: "0412" })?.message).toBe("something was thrown that is no error");
  expect(told(new ApiProblem(422, "invalid", "Emma is not there", "never", NO_MORE))?.message).toBe(
    "the laptop refused: 422 invalid",
  );
  expect(told("x".repeat(4_000))?.message).toHaveLength(300);
});

test("a stack is its places in the page's files, without the laptop's address and the message", () => {
  const error = new Error("Emma at 9:12:30");
  error.stack = [
    "Error: Emma at 9:12:30",
    "    at save (http://192.168.1.20:7420/assets/page-Cog5.js:10:2024)",
    "run@http://192.168.1.20:7420/assets/page-Cog5.js:3:7",
  ].join("\n");
  expect(told(error)?.stack).toBe("at save (/assets/page-Cog5.js:10:2024)\nrun@/assets/page-Cog5.js:3:7");
});

test.each([
  new Unreachable("network"),
  new DOMException("left", "AbortError"),
  "Script error.",
  "ResizeObserver loop completed with undelivered notifications.",
])("%s is no fault of the page", (error) => {
  expect(told(error)).toBeUndefined();
});

test("storage that is full is one problem wherever it was found", () => {
  const fault = told(new StorageFull("storage is full"));
  expect(fault).toMatchObject({
    message: "Phone could not save: storage full",
    stack: "",
    context: { level: "quick" },
  });
  expect(fault?.context).not.toHaveProperty("page");
});

test("what nobody caught is told after the next sync, from before the later parts were there too", async () => {
  window.dispatchEvent(new ErrorEvent("error", { error: new RangeError("early") }));
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  show(phone, "#/work");
  const kept = () => localStorage.getItem(`noticed.${desk.installation}`) ?? "";
  const faults = () => desk.told.flatMap(({ data }) => data);
  // The phone's own first round may tell it before anybody looks.
  await vi.waitUntil(() => `${kept()} ${JSON.stringify(faults())}`.includes("early"), { timeout: PATIENCE_MS });
  const rejection = new Event("unhandledrejection");
  window.dispatchEvent(Object.assign(rejection, { reason: new TypeError("late") }));
  await toldAfterARound(phone, desk);
  phone.engine.sync();
  await vi.waitUntil(() => faults().length > 1, { timeout: PATIENCE_MS });
  expect(faults().map(({ error_type, message }) => [error_type, message])).toEqual([
    ["RangeError", "early"],
    ["TypeError", "late"],
  ]);
});

test("an entry that finds no room is told of, without the entry", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  show(phone, "#/check-in");
  await findByPad("0412");
  const full = vi.spyOn(phone.store.ops, "add").mockImplementation(() => {
    throw new DOMException("the disk is full", "QuotaExceededError");
  });
  await user.click(await screen.findByRole("button", { name: "Check in 0412" }));
  await screen.findByText("Not saved: phone storage is full");
  full.mockRestore();
  const faults = await toldAfterARound(phone, desk);
  expect(faults).toMatchObject([{ error_type: "StorageFull", message: "Phone could not save: storage full" }]);
  expect(JSON.stringify(desk.told)).not.toMatch(/0412|Kolar|C-14/);
});
