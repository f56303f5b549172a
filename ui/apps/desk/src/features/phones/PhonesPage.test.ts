import { Unreachable } from "@showdesk/api";
import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, Device, WaitingPairing } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { deed, device } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import PhonesPage from "./PhonesPage.svelte";

const user = userEvent.setup();

beforeEach(() => {
  history.replaceState(null, "", "#/phones");
});

const MARIA = device({
  name: "Maria Santos",
  user: { id: "p-maria", name: "Maria Santos" },
  connected: false,
  last_seen: new Date(Date.now() - 29 * 60_000).toISOString(),
  expires_at: null,
  unsent: 9,
});
const ANA = device({
  id: "d-ana",
  name: "Ana’s phone",
  user: { id: "p-ana", name: "Ana Ruiz" },
  functions: ["checkin"],
  expires_at: null,
});
const ROSA: WaitingPairing = {
  pairing_id: "p-1",
  code_id: "code-1",
  device_name: "Rosa",
  check_number: "4821",
  claimed_at: new Date().toISOString(),
  functions: ["gate"],
  platform: "android",
  scope: { ring_ids: ["r-2"] },
};

async function open(phones: Device[], change: Partial<DeskApi> = {}, asking: WaitingPairing[] = []) {
  const api = fakeApi([], {
    devices: () => Promise.resolve(phones),
    waitingPairings: () => Promise.resolve(asking),
    permissions: () =>
      Promise.resolve([
        { key: "weigh", functions: ["scale"] },
        { key: "fix_tags", functions: ["superintendent"] },
      ]),
    ...change,
  });
  const desk = new Desk(api);
  await Promise.all([desk.overview.refresh(), desk.devices.refresh(), desk.requests.refresh()]);
  render(Stage, { desk, Screen: PhonesPage });
  return desk;
}

const row = (name: RegExp) => screen.getByRole("row", { name });

test("phones that hold entries stand on top; chips and the search leave fewer", async () => {
  await open([ANA, MARIA]);
  const rows = () => screen.getAllByRole("row").slice(1);
  expect(rows()[0]).toHaveTextContent(/Maria’s phone.*Scale.*Away 29 min.*9 waiting/);
  await user.click(screen.getByRole("button", { name: "Connected 1" }));
  expect(rows()).toHaveLength(1);
  expect(rows()[0]).toHaveTextContent("Ana’s phone");
  await user.click(screen.getByRole("button", { name: "All 2" }));
  await user.type(screen.getByRole("searchbox"), "check");
  expect(rows()).toHaveLength(1);
  await user.type(screen.getByRole("searchbox"), "xx");
  expect(screen.getByText("No phone found for “checkxx”.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Show all phones" }));
  expect(rows()).toHaveLength(2);
});

test("the list is gone through by keys, and Escape closes what is open", async () => {
  await open([ANA, MARIA]);
  screen.getByRole("grid").focus();
  await user.keyboard("{ArrowDown}{ArrowDown}{Enter}");
  expect(screen.getByRole("heading", { name: "Ana’s phone" })).toBeVisible();
  await user.keyboard("{ArrowUp}");
  expect(screen.getByRole("heading", { name: "Maria’s phone" })).toBeVisible();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("heading", { name: "Maria’s phone" })).toBeNull();
  expect(screen.getByRole("grid")).toHaveFocus();
});

test("an open phone says what is on it, what its person may do, and what happened", async () => {
  const audit = vi.fn<DeskApi["audit"]>(() => Promise.resolve({ items: [deed()], cursor: undefined }));
  const changeDevice = vi.fn<DeskApi["changeDevice"]>(() => Promise.resolve());
  await open([MARIA], { audit, changeDevice });
  await user.click(row(/Maria/));
  expect(screen.getByText(/9 entries wait on this phone. They are safe/)).toBeVisible();
  expect(await screen.findByText(/Dan let Maria’s phone in/)).toBeVisible();
  expect(screen.getByText("Left Wi-Fi")).toBeVisible();
  expect(audit).toHaveBeenCalledWith({ device: "d-maria" }, undefined, expect.any(Number));
  expect(screen.getByRole("switch", { name: "Save weights" })).toBeChecked();
  await user.click(screen.getByRole("switch", { name: "Change ear tags" }));
  expect(changeDevice).toHaveBeenCalledWith("d-maria", { permissions: { granted: ["fix_tags"], withheld: [] } });
  expect(await screen.findByText("Maria may now change ear tags.")).toBeVisible();
});

test("removing says what is still on the phone before it is done", async () => {
  const removeDevice = vi.fn(() => Promise.resolve());
  await open([MARIA], { removeDevice });
  await user.click(row(/Maria/));
  await user.click(screen.getByRole("button", { name: "Remove phone…" }));
  const dialog = screen.getByRole("dialog", { name: "Remove Maria’s phone?" });
  expect(within(dialog).getByText("9 entries are still on this phone and not on the laptop.")).toBeVisible();
  expect(removeDevice).not.toHaveBeenCalled();
  await user.click(within(dialog).getByRole("button", { name: "Remove with 9 entries on it" }));
  expect(removeDevice).toHaveBeenCalledWith("d-maria");
});

test("a removed phone stands under Removed, with the way to hand in what it holds", async () => {
  await open([{ ...MARIA, revoked_at: new Date().toISOString() }, ANA]);
  expect(screen.queryByText("Maria’s phone")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Removed 1" }));
  await user.click(row(/Maria/));
  expect(screen.getByText(/was removed with 9 entries on it/)).toBeVisible();
  expect(screen.queryByRole("switch")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Take in its file" }));
  expect(location.hash).toBe("#/rescue");
});

test("who asks to join stands on top; name, job and place are put right before the phone is let in", async () => {
  const approve = vi.fn<DeskApi["approve"]>(() => Promise.resolve());
  await open([ANA], { approve }, [ROSA]);
  const asking = screen.getByRole("region", { name: "Asking to join" });
  expect(asking).toHaveTextContent("4821");
  await user.click(within(asking).getByText("Change…"));
  const dialog = screen.getByRole("dialog", { name: "Let Rosa in?" });
  const name = within(dialog).getByRole("textbox", { name: "Name of the phone" });
  await user.clear(name);
  await user.click(within(dialog).getByRole("button", { name: "Allow" }));
  expect(within(dialog).getByText("Type a name.")).toBeVisible();
  await user.type(name, "Rosa Delgado");
  await user.click(within(dialog).getByRole("button", { name: "Scale" }));
  await user.click(within(dialog).getByRole("button", { name: "Gate" }));
  await user.click(within(dialog).getByRole("button", { name: "Allow" }));
  expect(approve).toHaveBeenCalledWith("p-1", {
    name: "Rosa Delgado",
    functions: ["scale"],
    scope: { ring_ids: ["r-2"] },
  });
  expect(await screen.findByText("Rosa Delgado can start.")).toBeVisible();
});

test("only what was changed about a person is sent; a fault is said and keeps what was typed", async () => {
  const changeDevice = vi.fn<DeskApi["changeDevice"]>(() => Promise.reject(new Error("away")));
  await open([MARIA], { changeDevice });
  await user.click(row(/Maria/));
  await user.click(screen.getByRole("button", { name: "Change…" }));
  const dialog = screen.getByRole("dialog", { name: "Change Maria’s phone" });
  const phone = within(dialog).getByRole("textbox", { name: "Name of the phone" });
  await user.clear(phone);
  await user.type(phone, "Scale phone");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(changeDevice).toHaveBeenCalledWith("d-maria", { name: "Scale phone" });
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("Not saved.");
  expect(phone).toHaveValue("Scale phone");
});

test("a phone that joined twice gets its person back, and the one before goes only if nothing waits on it", async () => {
  const twin = { ...ANA, id: "d-ana-old", connected: false, last_seen: "2026-08-14T12:00:00.000Z" };
  const mergeDevice = vi.fn<DeskApi["mergeDevice"]>(() => Promise.resolve());
  const removeDevice = vi.fn<DeskApi["removeDevice"]>(() => Promise.resolve());
  await open([{ ...ANA, may_be: twin.id }, twin], { mergeDevice, removeDevice });
  // Either of the two says it.
  await user.click(screen.getByRole("row", { name: /Away/ }));
  await user.click(screen.getByRole("button", { name: "Make it one phone…" }));
  expect(screen.getByRole("checkbox", { name: "Remove the one before from the list" })).toBeChecked();
  await user.click(screen.getByRole("button", { name: "Make it one" }));
  expect(mergeDevice).toHaveBeenCalledWith("d-ana", "d-ana-old");
  expect(removeDevice).toHaveBeenCalledWith("d-ana-old");
  await waitFor(() => expect(location.hash).toBe("#/phones/d-ana"));
});

test("what waits on the one before keeps it in the list", async () => {
  const twin = { ...ANA, id: "d-ana-old", connected: false, last_seen: "2026-08-14T12:00:00.000Z", unsent: 3 };
  const removeDevice = vi.fn<DeskApi["removeDevice"]>(() => Promise.resolve());
  await open([{ ...ANA, may_be: twin.id }, twin], { removeDevice });
  await user.click(screen.getByRole("row", { name: /Connected/ }));
  await user.click(screen.getByRole("button", { name: "Make it one phone…" }));
  expect(screen.getByText("3 entries still wait on it. Leave it until they are in.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Make it one" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(removeDevice).not.toHaveBeenCalled();
});

test("a desk without phones shows the way to the first one, and a list that failed says that nothing is lost", async () => {
  await open([]);
  expect(screen.getByText("No phone has joined yet.")).toBeVisible();
  document.body.innerHTML = "";
  await open([], { devices: () => Promise.reject(new Error("away")) });
  expect(screen.getByText(/Nothing was lost/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("undo turns the switch of the phone it was turned on, whatever phone is open by then", async () => {
  const changeDevice = vi.fn<DeskApi["changeDevice"]>(() => Promise.resolve());
  const desk = await open([{ ...MARIA, permissions: { granted: ["messages"], withheld: [] } }, ANA], { changeDevice });
  await user.click(row(/Maria/));
  await user.click(await screen.findByRole("switch", { name: "Change ear tags" }));
  await screen.findByText("Maria may now change ear tags.");
  await user.click(row(/Ana/));
  expect(screen.getByRole("heading", { name: "Ana’s phone" })).toBeVisible();
  desk.toasts.act();
  await waitFor(() => expect(changeDevice).toHaveBeenCalledTimes(2));
  expect(changeDevice.mock.calls[1]?.[0]).toBe("d-maria");
  expect(changeDevice.mock.calls[1]?.[1].permissions?.granted).not.toContain("fix_tags");
  expect(changeDevice.mock.calls[1]?.[1].permissions?.granted).toContain("messages");
  desk.toasts.dismiss();
});

test("a phone that could not be let in says so in its dialog, which stays with what was chosen", async () => {
  const approve = vi.fn<DeskApi["approve"]>(() => Promise.reject(new Unreachable("network")));
  const desk = await open([], { approve }, [ROSA]);
  await user.click(screen.getAllByRole("button", { name: "Change what Rosa does, then allow" })[0] as HTMLElement);
  const dialog = screen.getByRole("dialog", { name: "Let Rosa in?" });
  await user.click(within(dialog).getByRole("button", { name: "Scale" }));
  await user.click(within(dialog).getByRole("button", { name: "Allow" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("Showdesk did not answer.");
  expect(within(dialog).getByRole("button", { name: "Scale", pressed: true })).toBeVisible();
  expect(desk.toasts.current).toBeUndefined();
});

test("that nobody asks is said only when it is known", async () => {
  history.replaceState(null, "", "#/phones?show=asking");
  await open([ANA], { waitingPairings: () => Promise.reject(new Unreachable("network")) });
  expect(screen.queryByText("No phone is asking to join.")).toBeNull();
  expect(screen.getByText(/Whether a phone asks to join is not known/)).toBeVisible();
});
