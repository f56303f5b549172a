// Entries under the conditions of a show: reloads, double taps, a laptop that goes away, codes that do not work.

import { emptyStore, type FakeDesk } from "@showdesk/sync/testing";
import { screen } from "@testing-library/svelte";
import { expect, onTestFinished, test } from "vitest";

import { Phone } from "../src/phone.svelte.ts";
import { lastOp, press, show, STRIP, user } from "./hands.ts";
import { HEIFER, joinedPhone, smallDesk, STEER } from "./phone.ts";

test("what is typed outlives a reload of the page, and is gone once it is saved", async () => {
  const phone = await joinedPhone(smallDesk(), ["scale"]);
  const first = show(phone, `#/weigh-in/${HEIFER}`);
  await press("1286");
  first.unmount();
  show(phone, `#/weigh-in/${HEIFER}`);
  expect(await screen.findByRole("textbox", { name: "Weight in pounds" })).toHaveValue("1,286");
  await user.click(screen.getByRole("button", { name: "Save & next" }));
  await screen.findByText("1,286 lb saved", STRIP);
  expect(Object.keys(sessionStorage)).toEqual([]);
});

test("a choice at check-in outlives a reload, for its own animal only", async () => {
  const phone = await joinedPhone(smallDesk(), ["checkin"]);
  const first = show(phone, `#/check-in/${STEER}`);
  await user.click(await screen.findByRole("button", { name: "Does not match" }));
  first.unmount();
  show(phone, `#/check-in/${STEER}`);
  expect(await screen.findByRole("button", { name: "Does not match" })).toHaveAttribute("aria-pressed", "true");
  history.replaceState(null, "", `#/check-in/${HEIFER}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
  await screen.findByRole("button", { name: "Check in 0877" });
  expect(screen.getByRole("button", { name: "Does not match" })).toHaveAttribute("aria-pressed", "false");
});

test("a second tap while the first is being stored makes no second entry", async () => {
  const phone = await joinedPhone(smallDesk(), ["checkin"]);
  show(phone, `#/check-in/${STEER}`);
  const button = await screen.findByRole("button", { name: "Check in 0412" });
  button.click();
  button.click();
  await screen.findByText("0412 checked in", STRIP);
  expect(await phone.store.ops.count()).toBe(1);
});

test("an animal that no single number names is chosen by its row", async () => {
  const desk = smallDesk();
  desk.put("animals", "0190a000-0000-7000-8000-000000000003", { species: "sheep", sex: "ewe", tag: "0412" });
  const phone = await joinedPhone(desk, ["checkin"]);
  show(phone, "#/check-in");
  await press("0412");
  expect(screen.getByText("2 found. Tap the right one.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Find" })).toBeDisabled();
  await user.click(screen.getByRole("button", { name: /^0412 Ewe/ }));
  expect(await screen.findByRole("button", { name: "Check in 0412" })).toBeVisible();
});

test("those who may see papers write them with the arrival", async () => {
  const phone = await joinedPhone(smallDesk(), ["admin"]);
  show(phone, `#/check-in/${STEER}`);
  await user.click(await screen.findByRole("button", { name: "Hold for vet" }));
  await user.click(screen.getByRole("button", { name: "Change the pen" }));
  await user.clear(screen.getByRole("textbox", { name: "Pen" }));
  await user.type(screen.getByRole("textbox", { name: "Pen" }), "C-15");
  await user.click(screen.getByRole("button", { name: "Check in 0412" }));
  await screen.findByText("0412 checked in", STRIP);
  expect((await lastOp(phone))?.data).toMatchObject({ health_check: "hold", pen: "C-15" });
});

test("a job that the stage of the show does not open says so, and offers nothing", async () => {
  const phone = await joinedPhone(smallDesk("A"), ["scale"]);
  show(phone, "#/work");
  expect(await screen.findByRole("button", { name: /^Weigh-in/ })).toHaveTextContent("Not open at this stage");
  expect(screen.queryByRole("button", { name: "Weigh next animal" })).toBeNull();
  history.replaceState(null, "", `#/weigh-in/${STEER}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
  await press("1286");
  expect(screen.getByText("Weighing is not open on this phone")).toBeVisible();
  expect(screen.getByRole("button", { name: "Save & next" })).toBeDisabled();
});

test("the laptop going away and coming back is said once, and asks nothing", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["scale"]);
  show(phone, `#/weigh-in/${STEER}`);
  await press("12");
  desk.isDown = true;
  phone.engine.sync();
  await phone.engine.settled();
  expect(await screen.findByText(/^Away from laptop\. You can keep working/)).toBeInTheDocument();
  expect(screen.getByRole("textbox", { name: "Weight in pounds" })).toHaveValue("12");
  expect(screen.queryByRole("dialog")).toBeNull();
  desk.isDown = false;
  phone.engine.sync();
  expect(await screen.findByText("The laptop is near again.")).toBeInTheDocument();
});

test("a new name keeps the number until the desk gives a new one", async () => {
  const desk = smallDesk();
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: desk.send });
  onTestFinished(() => phone.engine.stop());
  await phone.open();
  show(phone, "#/join/c0de");
  await user.type(await screen.findByRole("textbox", { name: "Your name" }), "Maria{Enter}");
  expect(await screen.findByText("4821")).toBeVisible();
  // The code was for one phone: the desk has forgotten it.
  desk.code = "another";
  await user.click(screen.getByRole("button", { name: "Change your name" }));
  await user.type(screen.getByRole("textbox", { name: "Your name" }), " Lopez{Enter}");
  expect(await screen.findByText("4821")).toBeVisible();
  expect(screen.getByText(/Your number 4821 still works/)).toBeVisible();
});

test.each<[string, (desk: FakeDesk) => void, string]>([
  ["a used code", (desk) => (desk.code = "other"), "This code no longer works"],
  ["an unknown code", (desk) => refuseClaim(desk, 404, {}), "The laptop does not know this code"],
  ["too many tries", (desk) => refuseClaim(desk, 429, { "retry-after": "42" }), "Too many tries"],
  ["a laptop that is away", (desk) => (desk.isDown = true), "Can't reach the laptop"],
  ["somebody else's page", (desk) => (desk.isPortal = true), "Another page answered"],
])("joining with %s is told in words", async (_, spoil, title) => {
  const desk = smallDesk();
  const phone = new Phone({ baseUrl: "http://desk.test", store: emptyStore(), send: (request) => desk.send(request) });
  await phone.open();
  spoil(desk);
  show(phone, "#/join/c0de");
  await user.type(await screen.findByRole("textbox", { name: "Your name" }), "Maria{Enter}");
  expect(await screen.findByText(title)).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Your name" })).toHaveValue("Maria");
});

function refuseClaim(desk: FakeDesk, status: number, headers: Record<string, string>) {
  const { decide } = desk;
  desk.decide = async (request) => {
    if (!request.url.endsWith("/pairing/claim")) return await decide(request);
    const type = { "content-type": "application/problem+json" };
    return new Response(JSON.stringify({ code: "refused" }), { status, headers: { ...type, ...headers } });
  };
}
