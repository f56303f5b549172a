// The way to a phone that opens without Wi-Fi, and what it says when the laptop is not where it was.

import { FakeDesk, emptyStore, MemoryShelf } from "@showdesk/sync/testing";
import { render, screen, waitFor, within } from "@testing-library/svelte";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";

import AddStep from "../src/features/field-ready/AddStep.svelte";
import OpenStep from "../src/features/field-ready/OpenStep.svelte";
import { inFours, isSameFingerprint, stepsOf } from "../src/features/field-ready/steps.ts";
import { readCode, shownCode } from "../src/features/join/typed-code.ts";
import { isIdle, keepPage } from "../src/kept-page.ts";
import { Phone } from "../src/phone.svelte.ts";
import { FIRST_STATUS, type SyncStatus } from "@showdesk/sync";
import { show, user } from "./hands.ts";
import { joinedPhone, smallDesk, STEER } from "./phone.ts";
import Screen from "./Screen.svelte";

const HTTPS = "https://desk.test:7443";
const ME = {
  device_id: "device-1",
  name: "Scale 1",
  person: { id: "maria", name: "Maria Lopez" },
  functions: ["scale"],
  permissions: ["weigh"],
  expires_at: null,
  file_asked_at: null,
};

beforeEach(() => localStorage.clear());

/** A desk that offers HTTPS to phones that do not trust it yet. */
function secureDesk(): FakeDesk {
  const desk = smallDesk();
  desk.https = [HTTPS];
  desk.isTrusted = false;
  desk.serverTime = new Date().toISOString();
  return desk;
}

/** A page without a show. */
async function freshPhone(desk: FakeDesk, baseUrl: string = "http://desk.test"): Promise<Phone> {
  const phone = new Phone({ baseUrl, store: emptyStore(), send: desk.send, shelf: new MemoryShelf() });
  onTestFinished(() => phone.engine.stop());
  await phone.open();
  return phone;
}

const movePen = async (phone: Phone) => {
  await phone.add({ table: "animals", id: STEER, operation: "update", data: { pen: "B-2" } });
  await phone.engine.settled();
};

const NOTHING = { isSecure: false, isDownloaded: false, isTrusted: false, isAdded: false, fromHomeScreen: false };

test.each([
  [{}, "now later later later later"],
  [{ isDownloaded: true }, "done now later later later"],
  [{ isTrusted: true }, "done done now later later"],
  [{ isSecure: true }, "done done done now later"],
  [{ isSecure: true, isAdded: true }, "done done done done now"],
  [{ isSecure: true, fromHomeScreen: true }, "done done done done done"],
])("with %j the steps are %s", (known, states) => {
  const steps = stepsOf({ ...NOTHING, ...known });
  expect(steps.map(({ state }) => state).join(" ")).toBe(states);
});

test("fingerprints are shown in groups of four and compared as far as both are known", () => {
  expect(inFours("7c3fa92100")).toBe("7C3F A921 00");
  expect(isSameFingerprint("7C3F A921", "7c3fa921ffee")).toBe(true);
  expect(isSameFingerprint("7C3FA921", "7C3FA922")).toBe(false);
  expect(isSameFingerprint("", "7C3FA921")).toBe(false);
});

test.each([
  ["7k3m-9qxa", "7K3M9QXA"],
  [" oIl0 abcu", "0110ABC"],
  ["7K3M9QXA77", "7K3M9QXA"],
])("%j typed is the code %s", (typed, code) => {
  expect(readCode(typed)).toBe(code);
});

test("a code is shown in two groups while it is typed", () => {
  expect([shownCode("7K3"), shownCode("7K3M9"), shownCode("")]).toEqual(["7K3", "7K3M 9", ""]);
});

test("a phone whose camera reads nothing types the code, then joins with it", async () => {
  const desk = smallDesk();
  desk.code = "7K3M9QXA";
  const phone = await freshPhone(desk);
  show(phone, "#/join");
  await user.click(await screen.findByRole("button", { name: "Type the code instead" }));
  expect(screen.getByRole("button", { name: "Go on" })).toBeDisabled();
  const pad = screen.getByRole("region", { name: "Letters and digits" });
  for (const key of "7K3M9QXB") await user.click(within(pad).getByRole("button", { name: key }));
  expect(screen.getByLabelText("Code from the desk")).toHaveValue("7K3M 9QXB");
  await user.click(within(pad).getByRole("button", { name: "Delete last letter" }));
  await user.type(screen.getByLabelText("Code from the desk"), "a");
  await user.click(screen.getByRole("button", { name: "Go on" }));
  await user.type(await screen.findByRole("textbox", { name: "Your name" }), "Maria Lopez{Enter}");
  expect(await screen.findByText("4821")).toBeVisible();
  expect(desk.claims[0]?.code).toBe("7K3M9QXA");
});

test("a phone that has joined is offered the better level, and can say no once and for all", async () => {
  const phone = await joinedPhone(secureDesk(), ["scale"]);
  const first = show(phone, "#/work");
  expect(await screen.findByText("Make this phone field-ready")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Not now" }));
  expect(screen.queryByText("Make this phone field-ready")).toBeNull();
  first.unmount();
  show(phone, "#/work");
  await screen.findByRole("button", { name: /^Weigh-in/ });
  expect(screen.queryByText("Make this phone field-ready")).toBeNull();
});

test("the guide moves on by itself when the phone trusts the laptop", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const desk = secureDesk();
  const phone = await joinedPhone(desk, ["scale"]);
  await phone.store.setFact("fingerprint", "7C3FA921");
  phone.fingerprint = "7C3FA921";
  show(phone, "#/more");
  const download = await screen.findByRole("link", { name: "Download" });
  expect(download).toHaveAttribute("href", "http://desk.test/ca.crt");
  expect(screen.getByText("7C3F A921")).toBeVisible();
  // The test's browser cannot download: only what the tap means counts.
  download.addEventListener("click", (event) => event.preventDefault());
  await user.click(download);
  expect(await screen.findByText("Switch it on in Settings")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Open it now" })).toBeNull();
  desk.isTrusted = true;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await screen.findByRole("button", { name: "Open it now" })).toBeEnabled();
});

test("what went wrong is named: the switch, or the clock", async () => {
  const desk = secureDesk();
  localStorage.setItem("certificate", "downloaded");
  const phone = await joinedPhone(desk, ["scale"]);
  const first = show(phone, "#/more");
  await user.click(await screen.findByRole("button", { name: "It didn't work" }));
  expect(await screen.findByText("Installed, but not switched on")).toBeVisible();
  expect(screen.getByText(/Ask the desk for a new code/)).toBeVisible();
  first.unmount();
  desk.serverTime = "2020-01-01T00:00:00.000Z";
  show(phone, "#/more");
  await user.click(await screen.findByRole("button", { name: "It didn't work" }));
  expect(await screen.findByText("The clock of this phone is wrong")).toBeVisible();
  expect(screen.getByText(/The laptop says Jan 1, 2020/)).toBeVisible();
});

test("another certificate than the scanned code told of is not offered", async () => {
  const desk = secureDesk();
  const known = desk.decide;
  desk.decide = async (request) => {
    const answer = await known(request);
    if (!request.url.endsWith("/ping")) return answer;
    const body = { ...((await answer.json()) as object), fingerprint_prefix: "FFFF000011112222" };
    return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
  };
  const phone = await joinedPhone(desk, ["scale"]);
  phone.fingerprint = "7C3FA921";
  await phone.store.setFact("fingerprint", "7C3FA921");
  show(phone, "#/more");
  expect(await screen.findByText("Don't install anything")).toBeVisible();
  expect(screen.queryByRole("link", { name: "Download" })).toBeNull();
});

test("the page is left only when everything is sent, and takes a pass along", async () => {
  const desk = secureDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "retry", after_ms: 60_000 });
  await movePen(phone);
  const left: string[] = [];
  const props = { address: HTTPS, leave: (address: string) => void left.push(address) };
  render(Screen, { props: { phone, screen: OpenStep, props } } as never);
  expect(screen.getByText("Finish sending first, 1 waiting")).toBeVisible();
  const open = screen.getByRole("button", { name: "Open it now" });
  expect(open).toBeDisabled();
  desk.verdict = () => null;
  await phone.store.ops.toCollection().modify({ not_before_ms: 0 });
  phone.engine.sync();
  await phone.engine.settled();
  await waitFor(() => expect(open).toBeEnabled());
  desk.token = "lsd_carried";
  await user.click(open);
  await waitFor(() => expect(left).toEqual([`${HTTPS}/#/moved/lsd_carried`]));
  expect(await phone.store.fact("moved_on")).toEqual({ to: "page", address: HTTPS });
});

test("an iPhone's icon gets a pass of its own, and the page before says where it goes on", async () => {
  const desk = secureDesk();
  const phone = await joinedPhone(desk, ["scale"]);
  desk.token = "lsd_icon";
  render(Screen, { props: { phone, screen: AddStep, props: { kind: "iphone" } } } as never);
  // jsdom's own address stands in for the desk's: only the fragment can be changed.
  Object.defineProperty(phone, "home", { value: location.origin });
  await user.click(screen.getByRole("button", { name: "Show me how" }));
  expect(await screen.findByText(/Tap Share/)).toBeVisible();
  expect(location.hash).toBe("#/moved/lsd_icon");
  expect(await phone.store.fact("moved_on")).toMatchObject({ to: "home_screen" });
});

test("a page with a pass in its address says whose it is, and goes on with another", async () => {
  const desk = smallDesk();
  desk.me = ME;
  desk.token = "lsd_kept";
  const phone = await freshPhone(desk, "https://desk.test");
  show(phone, "#/moved/lsd_carried");
  await user.click(await screen.findByRole("button", { name: "Go on as Maria Lopez" }));
  expect(await screen.findByRole("button", { name: /^Weigh-in/ })).toBeVisible();
  await phone.engine.settled();
  expect(await phone.store.fact("session")).toMatchObject({ token: "lsd_kept", device_id: "device-1" });
  expect(location.hash).toBe("#/work");
});

test("a pass that was used already sends the person to the desk", async () => {
  const desk = smallDesk();
  desk.refusal = { status: 401, body: { code: "unknown_token" } };
  const phone = await freshPhone(desk);
  show(phone, "#/moved/lsd_stale");
  expect(await screen.findByText("This way in was used already")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Use a new code" }));
  expect(await screen.findByText("Scan the code at the desk")).toBeVisible();
});

test("an address that is opened again does not use its pass again", async () => {
  const desk = smallDesk();
  desk.me = ME;
  const phone = await joinedPhone(desk, ["scale"]);
  await phone.store.setFact("taken_pass", "lsd_carried");
  show(phone, "#/moved/lsd_carried");
  expect(await screen.findByRole("button", { name: /^Weigh-in/ })).toBeVisible();
  expect(desk.tokens.has("Bearer lsd_carried")).toBe(false);
});

test("a page that was another person's says whose pass came, and becomes that person's", async () => {
  const desk = smallDesk();
  desk.me = { ...ME, device_id: "device-of-ben", person: { id: "ben", name: "Ben Ito" } };
  const phone = await joinedPhone(desk, ["scale"]);
  desk.token = "lsd_kept";
  show(phone, "#/moved/lsd_of_ben");
  await user.click(await screen.findByRole("button", { name: "Go on as Ben Ito" }));
  await waitFor(async () => expect((await phone.store.fact("session"))?.person.name).toBe("Ben Ito"));
  expect(await phone.store.fact("taken_pass")).toBe("lsd_of_ben");
});

test("entries of the person before keep a page theirs until they are sent", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.refusal = { status: 401, body: { code: "unknown_token" } };
  await movePen(phone);
  await phone.engine.settled();
  desk.refusal = null;
  desk.me = { ...ME, device_id: "device-of-ben", person: { id: "ben", name: "Ben Ito" } };
  show(phone, "#/moved/lsd_of_ben");
  await user.click(await screen.findByRole("button", { name: "Go on as Ben Ito" }));
  expect(await screen.findByText("Finish sending first, 1 waiting")).toBeVisible();
  expect(await phone.store.ops.where("state").equals("waiting").count()).toBe(1);
  await user.click(screen.getByRole("button", { name: "Open it as it was" }));
  expect(location.hash).toBe("#/work");
});

test("a pass whose time is over says so, and that the desk can give more", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.refusal = { status: 401, body: { code: "device_expired" } };
  await movePen(phone);
  await phone.engine.settled();
  show(phone, "#/work");
  expect(await screen.findByRole("button", { name: /^Entries: Time is over/ })).toBeVisible();
  expect(await screen.findByText(/Ask the desk for more time, and they go out by themselves/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Join again" })).toBeVisible();
});

test("the page that a phone has left says where it goes on, and takes no more entries", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["scale"]);
  await phone.store.setFact("moved_on", { to: "page", address: HTTPS });
  desk.refusal = { status: 401, body: { code: "unknown_token" } };
  phone.engine.sync();
  await phone.engine.settled();
  show(phone, "#/work");
  expect(await screen.findByText("This phone goes on at another page")).toBeVisible();
  expect(screen.getByRole("link", { name: "Open it" })).toHaveAttribute("href", `${HTTPS}/`);
  expect(screen.getByRole("button", { name: "Join again" })).toBeVisible();
  expect(screen.queryByRole("button", { name: /^Weigh-in/ })).toBeNull();
});

test("a phone that was removed hands over what it has, and can join again", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.refusal = { status: 403, body: { code: "device_removed" } };
  await movePen(phone);
  show(phone, "#/work");
  expect(await screen.findByRole("button", { name: "Hand over 1 entry" })).toBeVisible();
  expect(screen.queryByRole("button", { name: /^Check-in/ })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Hand over 1 entry" }));
  expect(await screen.findByRole("heading", { name: "Hand over your entries" })).toBeVisible();
});

test("a file that the desk asks for is offered although the laptop is near", async () => {
  const desk = smallDesk();
  desk.me = { ...ME, functions: ["checkin"], permissions: ["check_in"], file_asked_at: "2026-11-22T09:31:00.000Z" };
  const phone = await joinedPhone(desk, ["checkin"]);
  desk.verdict = (op) => ({ op_id: op.op_id, verdict: "retry", after_ms: 60_000 });
  await movePen(phone);
  show(phone, "#/work");
  expect(await screen.findByText("The desk asks for your entries as a file")).toBeVisible();
  await user.click(screen.getByRole("link", { name: "Look" }));
  expect(await screen.findByRole("heading", { name: "The desk asks for your entries as a file" })).toBeVisible();
  expect(screen.getByRole("button", { name: "Save file" })).toBeEnabled();
});

test("jobs that the desk gives and takes are on the screen with the next round", async () => {
  const desk = smallDesk();
  const phone = await joinedPhone(desk, ["scale"]);
  show(phone, "#/work");
  expect(await screen.findByRole("button", { name: /^Weigh-in/ })).toBeVisible();
  desk.me = { ...ME, functions: ["checkin"], permissions: ["check_in", "arrive"] };
  await phone.engine.rest();
  await phone.engine.start();
  await phone.engine.settled();
  expect(await screen.findByText("Maria Lopez, check-in")).toBeVisible();
});

test("a pass that ends within a day is spoken of", async () => {
  const desk = smallDesk();
  desk.me = { ...ME, expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  const phone = await joinedPhone(desk, ["scale"]);
  show(phone, "#/work");
  expect(await screen.findByText(/^Your time at the show ends (at|[A-Z][a-z]{2} \d+ at)/)).toBeVisible();
});

test.each<[Partial<SyncStatus>, string, string]>([
  [{ away: "untrusted", waiting: 2 }, "2 kept", "This phone no longer trusts the laptop – 2 kept on this phone"],
  [{ away: "untrusted" }, "Not trusted", "This phone no longer trusts the laptop"],
  [{ away: "clock_wrong" }, "Not trusted", "The clock of this phone is wrong, so it can't trust the laptop"],
  [{ away: "other_installation" }, "Away", "Another laptop answers here, not your show's"],
  [{ away: "not_json" }, "Away", "This Wi-Fi wants you to sign in, or it is not the show's"],
  [{ away: "network" }, "Away", "Away from laptop. You can keep working."],
])("a laptop that is away as %j is told as %s: %s", async (status, chip, strip) => {
  const phone = await joinedPhone(smallDesk(), ["scale"]);
  const shown = { ...phone.engine.status, link: "away", ...status } as const;
  vi.spyOn(phone.engine, "status", "get").mockReturnValue(shown);
  show(phone, "#/work");
  expect(await screen.findByRole("button", { name: new RegExp(`^Entries: ${chip}`) })).toBeVisible();
  expect(screen.getByText(strip, { selector: ".strip p", exact: false })).toBeVisible();
  const help = screen.queryByRole("link", { name: "What to do" });
  expect(help !== null).toBe(status.away === "untrusted");
});

test("a page over HTTP tells whether the laptop has another certificate than the phone trusted", async () => {
  const desk = secureDesk();
  const known = desk.decide;
  desk.decide = async (request) => {
    const answer = await known(request);
    const body = { ...((await answer.json()) as object), fingerprint_prefix: "FFFF000011112222" };
    return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
  };
  const phone = await freshPhone(desk);
  const first = show(phone, "#/trust/7C3FA921");
  expect(await screen.findByText("The laptop has a new certificate")).toBeVisible();
  first.unmount();
  show(phone, "#/trust/FFFF0000");
  expect(await screen.findByText("Installed, but not switched on")).toBeVisible();
  desk.isTrusted = true;
  document.dispatchEvent(new Event("visibilitychange"));
  expect(await screen.findByRole("link", { name: "Open my page" })).toHaveAttribute("href", `${HTTPS}/`);
});

test.each<[Partial<SyncStatus>, number, boolean]>([
  [{}, 61_000, true],
  [{}, 1_000, false],
  [{ waiting: 1 }, 61_000, false],
  [{ waiting: 1, access: "too_old" }, 61_000, true],
  [{ waiting: 1, access: "too_old" }, 1_000, false],
  [{ sending: { done: 0, total: 1 } }, 61_000, false],
])("a page with %j that was not touched for %i ms is idle: %j", (status, untouchedMs, idle) => {
  expect(isIdle({ ...FIRST_STATUS, ...status }, untouchedMs)).toBe(idle);
});

test("a newer page takes over when the page is idle, and not while an entry waits", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  let [nowMs, waiting] = [0, 1];
  let tellWaiting: () => void = () => undefined;
  let tellReplaced: () => void = () => undefined;
  const done: string[] = [];
  await keepPage({
    status: () => ({ ...FIRST_STATUS, link: "near", waiting }),
    now: () => nowMs,
    reload: () => void done.push("reload"),
    start: async () => ({
      look: () => void done.push("look"),
      onWaiting: (listener) => ((tellWaiting = listener), () => undefined),
      onReplaced: (listener) => ((tellReplaced = listener), () => undefined),
      switchOver: () => tellReplaced(),
    }),
  });
  tellWaiting();
  nowMs = 70_000;
  vi.advanceTimersByTime(15_000);
  expect(done).toEqual([]);
  waiting = 0;
  document.dispatchEvent(new Event("pointerdown"));
  vi.advanceTimersByTime(15_000);
  expect(done).toEqual([]);
  nowMs = 140_000;
  vi.advanceTimersByTime(15_000);
  expect(done).toEqual(["reload"]);
  nowMs = 700_000;
  vi.advanceTimersByTime(15_000);
  expect(done).toContain("look");
  // In another tab somebody let a newer page take over.
  done.length = 0;
  tellReplaced();
  expect(done).toEqual(["reload"]);
});

test("a page that is too old gets the newer one at a tap although entries wait", async () => {
  let tellWaiting: () => void = () => undefined;
  let tellReplaced: () => void = () => undefined;
  const done: string[] = [];
  const kept = await keepPage({
    status: () => ({ ...FIRST_STATUS, link: "near", access: "too_old", waiting: 3 }),
    now: () => 0,
    reload: () => void done.push("reload"),
    start: async () => ({
      look: () => tellWaiting(),
      onWaiting: (listener) => ((tellWaiting = listener), () => undefined),
      onReplaced: (listener) => ((tellReplaced = listener), () => undefined),
      switchOver: () => (done.push("switch"), tellReplaced()),
    }),
  });
  expect(done).toEqual([]);
  kept?.renew();
  expect(done).toEqual(["switch", "reload"]);
});

test("a page that is loaded anew by hand loads, though another tab holds the newer one back", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  let tellWaiting: () => void = () => undefined;
  const done: string[] = [];
  const kept = await keepPage({
    status: () => ({ ...FIRST_STATUS, link: "near" }),
    now: () => 0,
    reload: () => void done.push("reload"),
    start: async () => ({
      look: () => undefined,
      onWaiting: (listener) => ((tellWaiting = listener), () => undefined),
      onReplaced: () => () => undefined,
      switchOver: () => void done.push("switch"),
    }),
  });
  tellWaiting();
  kept?.renew();
  expect(done).toEqual(["switch"]);
  vi.advanceTimersByTime(10_000);
  expect(done).toEqual(["switch", "reload"]);
});
