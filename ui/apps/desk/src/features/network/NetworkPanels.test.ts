import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, Network } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { device, network } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import NetworkPanels from "./NetworkPanels.svelte";

const user = userEvent.setup();

beforeEach(() => {
  history.replaceState(null, "", "#/settings/network");
});

async function open(change: Partial<Network> = {}, calls: Partial<DeskApi> = {}) {
  const api = fakeApi([], {
    network: () => Promise.resolve(network(change)),
    devices: () => Promise.resolve([device({ level: "field_ready" })]),
    ...calls,
  });
  const desk = new Desk(api);
  await desk.devices.refresh();
  render(Stage, { desk, Screen: NetworkPanels });
  await waitFor(() => expect(screen.queryByRole("status", { name: /Asking how/ })).toBeNull());
  return desk;
}

test("the level, the addresses and the fingerprint are told, and what plain Wi-Fi does not protect", async () => {
  await open();
  expect(screen.getByText("Protected", { selector: ".strong" })).toBeVisible();
  expect(screen.getByText("http://192.168.1.20:7420")).toBeVisible();
  expect(screen.getAllByText("AB12")).toHaveLength(4);
  expect(screen.getByText(/What plain Wi-Fi does not protect/)).toBeVisible();
  expect(screen.getByText("14 Sept 2027")).toBeVisible();
});

test("without protected joining there is nothing to compare, and a warning is shown as it is", async () => {
  const detail = "Port 7443 is taken by another program.";
  await open({ level: "plain", fingerprint: null, https: [], warnings: [{ code: "https_port_taken", detail }] });
  expect(screen.getByText("Plain Wi-Fi")).toBeVisible();
  expect(screen.getByText(detail)).toBeVisible();
  expect(screen.queryByRole("button", { name: "Make new certificates…" })).toBeNull();
});

test("a file in the key store's place is warned of", async () => {
  await open({ secrets: { kept_in: "file", warning: "Anybody who copies the folder has the keys." } });
  expect(screen.getByText(/only this user can read/)).toBeVisible();
  expect(screen.getByText("Anybody who copies the folder has the keys.")).toBeVisible();
});

test("new certificates of the show are made only after saying what they mean for phones", async () => {
  const renewCertificates = vi.fn<DeskApi["renewCertificates"]>(() =>
    Promise.resolve(network({ fingerprint: "FFFF FFFF" })),
  );
  await open({}, { renewCertificates });
  await user.click(screen.getByRole("button", { name: "Make new certificates…" }));
  const dialog = screen.getByRole("dialog", { name: "Make new certificates" });
  await user.click(within(dialog).getByRole("radio", { name: "The show’s too" }));
  expect(within(dialog).getByText(/1 phone is field-ready now/)).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Make new ones" }));
  expect(renewCertificates).toHaveBeenCalledWith(true);
  expect(await screen.findAllByText("FFFF")).toHaveLength(2);
});

test("the test opens from the page and closes with its address", async () => {
  const startNetworkTest: DeskApi["startNetworkTest"] = () =>
    Promise.resolve({ id: "t", url: "http://192.168.1.20:7420/test/abc", qr_svg: "<svg/>", expires_at: "" });
  const arrivals = [{ at: new Date().toISOString(), address: "192.168.1.31", agent: "iPhone", this_laptop: false }];
  await open(
    {},
    { startNetworkTest, networkTest: () => Promise.resolve({ status: "arrived", expires_at: "", arrivals }) },
  );
  await user.click(screen.getByRole("button", { name: "Test this network" }));
  const dialog = screen.getByRole("dialog", { name: "Test this network" });
  expect(await within(dialog).findByText("A phone got through.")).toBeVisible();
  expect(within(dialog).getByText("192.168.1.31")).toBeVisible();
  expect(within(dialog).queryByText(/three things/)).toBeNull();
  await user.click(within(dialog).getByRole("button", { name: "Done" }));
  expect(location.hash).toBe("#/settings/network");
});
