import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, Providers } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { provider } from "../../testing/fake-messages.ts";
import Stage from "../../testing/Stage.svelte";
import { settingsOf, typedOf } from "./provider.ts";
import PushPanels from "./PushPanels.svelte";

const user = userEvent.setup();
const FIREBASE = provider({
  configured: true,
  state: "untested",
  settings: { project_id: "cedar-fair" },
  tokens: { active: 12, disabled: 1 },
});
const ALL: Providers = { fcm: FIREBASE, apns: provider(), web: provider() };

async function open(change: Partial<DeskApi> = {}): Promise<void> {
  const desk = new Desk(fakeApi([], { providers: () => Promise.resolve(ALL), ...change }));
  render(Stage, { desk, Screen: PushPanels });
  await screen.findByText("Not tested yet");
}

test("a test tells in a sentence what came back", async () => {
  const sentence = "The time of this laptop is wrong. Set its clock.";
  const testProvider = vi.fn<DeskApi["testProvider"]>(() => Promise.resolve({ ok: false, code: "clock", sentence }));
  await open({ testProvider });
  expect(screen.getByText(/12 phones can be reached by it/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Test configuration" }));
  expect(testProvider).toHaveBeenCalledWith("fcm");
  expect(await screen.findByText(sentence)).toBeVisible();
});

test("a key is given by file and never shown; what is refused is said in the dialog", async () => {
  const setProvider = vi.fn<DeskApi["setProvider"]>(() => Promise.reject(new Error("no")));
  await open({ setProvider });
  await user.click(screen.getByRole("button", { name: "Firebase: Change…" }));
  const dialog = screen.getByRole("dialog", { name: "Set up Firebase" });
  const field = within(dialog).getByRole("textbox", { name: /Key file/ });
  expect(field).toHaveValue("");
  const file = new File(['{"project_id":"x"}'], "key.json", { type: "application/json" });
  const input = dialog.querySelector<HTMLInputElement>("input[type=file]");
  if (input === null) throw new Error("no file input");
  await user.upload(input, file);
  expect(await within(dialog).findByText("“key.json” was read.")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(setProvider).toHaveBeenCalledWith("fcm", { service_account: '{"project_id":"x"}' });
  expect(await within(dialog).findByRole("alert")).toHaveTextContent(/Nothing was changed/);
});

test("only what is typed is sent: an empty key keeps the one that is there, null takes a stand-in away", () => {
  expect(settingsOf("fcm", typedOf(FIREBASE), FIREBASE)).toEqual({});
  const elsewhere = { ...FIREBASE, endpoint: "http://127.0.0.1:9000" };
  expect(settingsOf("fcm", { ...typedOf(elsewhere), endpoint: "" }, elsewhere)).toEqual({ endpoint: null });
  const web = provider();
  expect(settingsOf("web", { ...typedOf(web), subject: " dan@fair.example " }, web)).toEqual({
    subject: "mailto:dan@fair.example",
  });
  expect(settingsOf("web", { ...typedOf(web), subject: "https://fair.example" }, web)).toEqual({
    subject: "https://fair.example",
  });
});
