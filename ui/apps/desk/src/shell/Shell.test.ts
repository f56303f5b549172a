import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { Unreachable } from "@showdesk/api";
import { beforeEach, expect, test } from "vitest";

import type { DeskApi, EntryPage } from "../data/desk-api.ts";
import { entriesAddress } from "../features/entries/address.ts";
import { fakeApi } from "../testing/fake-api.ts";
import { entry, overview } from "../testing/samples.ts";
import Shell from "./Shell.svelte";
import { Theme } from "./theme.svelte.ts";

beforeEach(() => {
  localStorage.clear();
  location.hash = "#/";
});

const theme = new Theme(Object.assign(new EventTarget(), { matches: false }) as MediaQueryList);

function shell(change: Partial<DeskApi> = {}): void {
  const api = fakeApi([], { overview: () => Promise.resolve(overview({ needs_checking: 3 })), ...change });
  render(Shell, { api, theme, onsignedout: () => undefined });
}

test("the link of the tray opens the codes, and works a second time", async () => {
  shell();
  for (let times = 0; times < 2; times += 1) {
    location.hash = "#/overview?connect";
    const dialog = await screen.findByRole("dialog", { name: "Connect a phone" });
    expect(location.hash).toBe("#/");
    await userEvent.click(within(dialog).getByRole("button", { name: "Close" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  }
});

test("a message that the desktop did not take is shown in the page, and leads where it belongs", async () => {
  shell();
  await screen.findByText("3 to check");
  const detail = { title: "Two weights for tag 0412", text: "", open: "Look at it", address: "#/audit", urgent: false };
  window.dispatchEvent(new CustomEvent("showdesk:message", { detail: { ...detail, address: "https://elsewhere" } }));
  expect(screen.queryByText("Two weights for tag 0412")).toBeNull();
  window.dispatchEvent(new CustomEvent("showdesk:message", { detail }));
  expect(await screen.findByText("Two weights for tag 0412")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Look at it" }));
  expect(location.hash).toBe("#/audit");
});

test("an emergency that the desktop did not take stays over every page until it is closed or opened", async () => {
  shell();
  await screen.findByText("3 to check");
  const told = { title: "Lightning", text: "Barns.", open: "Open messages", address: "#/messages", urgent: true };
  const tell = (change: object) => {
    window.dispatchEvent(new CustomEvent("showdesk:message", { detail: { ...told, ...change } }));
  };
  tell({});
  const strip = await screen.findByRole("alert");
  expect(strip).toHaveTextContent("Lightning. Barns.");
  // News take each other's place; what was saved meanwhile must not take this one's.
  tell({ title: "Two weights", urgent: false, address: "#/audit" });
  location.hash = "#/phones";
  await screen.findByText("Two weights. Barns.");
  expect(strip).toBeInTheDocument();
  await userEvent.click(within(strip).getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("alert")).toBeNull();
  tell({});
  await userEvent.click(within(await screen.findByRole("alert")).getByRole("button", { name: "Open messages" }));
  expect(location.hash).toBe("#/messages");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("an empty folder begins with the questions of the first run", async () => {
  const fresh = overview({ first_run: true, animals: 0, entries: 0, exhibitors: 0 });
  shell({ overview: () => Promise.resolve(fresh) });
  expect(await screen.findByRole("heading", { name: "Welcome to Showdesk" })).toBeInTheDocument();
  expect(location.hash).toBe("#/welcome");
});

test("Ctrl+K, a tag and Enter lead to the animal's record from any page", async () => {
  const page = { items: [entry()], total: 1 } as EntryPage;
  shell({ entries: () => Promise.resolve(page) });
  await screen.findByText("3 to check");
  await userEvent.keyboard("{Control>}k{/Control}1042");
  await waitFor(() => expect(document.querySelector('[role="option"]')).toHaveTextContent("#1042"));
  expect(document.querySelector('[role="option"]')).toHaveAttribute("aria-selected", "true");
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(location.hash).toBe(entriesAddress("1042", "a-1042")));
});

test("a program that does not answer is told, and the last numbers stay", async () => {
  let answers = true;
  let wake = () => {};
  shell({
    overview: () =>
      answers ? Promise.resolve(overview({ needs_checking: 3 })) : Promise.reject(new Unreachable("network")),
    live: (_onOpen, onWake, signal) => {
      wake = () => onWake("conflict");
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  });
  expect(await screen.findByText("3 to check")).toBeInTheDocument();
  answers = false;
  wake();
  expect(await screen.findByText(/What was saved is safe/)).toBeInTheDocument();
  expect(screen.getByText("Not reaching Showdesk")).toBeInTheDocument();
  expect(screen.getByText("3 to check")).toBeInTheDocument();
});
