import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { createRawSnippet } from "svelte";
import { expect, test, vi } from "vitest";

import Checkbox from "./Checkbox.svelte";
import CopyText from "./CopyText.svelte";
import Drawer from "./Drawer.svelte";
import Radios from "./Radios.svelte";
import Switch from "./Switch.svelte";
import Table from "./Table.svelte";
import Tabs from "./Tabs.svelte";

const text = (words: string) => createRawSnippet(() => ({ render: () => `<span>${words}</span>` }));
const options = [
  { value: "new", label: "New" },
  { value: "sent", label: "Sent", count: 12 },
  { value: "old", label: "Old" },
] as const;

test("tabs move by arrows round the ends, with one stop for Tab", async () => {
  const onchange = vi.fn();
  const children = createRawSnippet((value: () => string) => ({ render: () => `<p>${value()}</p>` }));
  render(Tabs, { label: "Messages", value: "new", options, onchange, children });
  const user = userEvent.setup();
  await user.tab();
  expect(document.activeElement).toBe(screen.getByRole("tab", { name: "New" }));
  await user.keyboard("{ArrowLeft}");
  expect(onchange).toHaveBeenLastCalledWith("old");
  await user.keyboard("{ArrowRight}{ArrowRight}");
  expect(onchange).toHaveBeenLastCalledWith("sent");
  const sent = screen.getByRole("tab", { name: "Sent 12" });
  expect(document.activeElement).toBe(sent);
  expect(sent.getAttribute("aria-selected")).toBe("true");
  expect(screen.getAllByRole("tab").map((tab) => tab.tabIndex)).toEqual([-1, 0, -1]);
});

test("a table says how it is sorted, and a second press turns it round", async () => {
  const onsort = vi.fn();
  const columns = [
    { id: "tag", label: "Tag", sortable: true },
    { id: "weight", label: "Weight", sortable: true, number: true },
    { id: "note", label: "Note" },
  ];
  render(Table, { label: "Animals", columns, sort: { by: "tag", down: false }, onsort, children: text("") });
  const heading = (name: string) => screen.getByRole("columnheader", { name });
  expect(heading("Tag").getAttribute("aria-sort")).toBe("ascending");
  expect(heading("Weight").getAttribute("aria-sort")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Tag" }));
  expect(onsort).toHaveBeenLastCalledWith({ by: "tag", down: true });
  await userEvent.click(screen.getByRole("button", { name: "Weight" }));
  expect(onsort).toHaveBeenLastCalledWith({ by: "weight", down: false });
  expect(screen.queryByRole("button", { name: "Note" })).toBeNull();
});

test("a drawer closes by Escape and by its button, and leaves a handled Escape alone", async () => {
  const onclose = vi.fn();
  render(Drawer, { label: "Entry", title: "#1042", closeLabel: "Close", onclose, children: text("612 lb") });
  const region = screen.getByRole("region", { name: "Entry" });
  const handled = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
  handled.preventDefault();
  region.dispatchEvent(handled);
  expect(onclose).not.toHaveBeenCalled();
  screen.getByRole("button", { name: "Close" }).focus();
  await userEvent.keyboard("{Escape}");
  expect(onclose).toHaveBeenCalledTimes(1);
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(onclose).toHaveBeenCalledTimes(2);
});

test("nothing is chosen before a person chooses", async () => {
  render(Radios, { label: "Rule", value: undefined, options: options.slice(0, 2), error: "Choose one." });
  const group = screen.getByRole("group", { name: "Rule" });
  expect(group.getAttribute("aria-describedby")).toBe(screen.getByText("Choose one.").id);
  const [first, second] = screen.getAllByRole<HTMLInputElement>("radio");
  expect([first?.checked, second?.checked]).toEqual([false, false]);
  await userEvent.click(screen.getByText("Sent"));
  expect(second?.checked).toBe(true);
});

test("hidden words are still the name of a box and a switch", () => {
  render(Checkbox, { label: "All twelve", hideLabel: true, checked: false, partly: true });
  render(Switch, { label: "Declared weights", hideLabel: true, checked: true });
  expect(screen.getByRole<HTMLInputElement>("checkbox", { name: "All twelve" }).indeterminate).toBe(true);
  expect(screen.getByRole<HTMLInputElement>("switch", { name: "Declared weights" }).checked).toBe(true);
});

test("a number is copied and that is said; without a clipboard it is selected", async () => {
  const user = userEvent.setup();
  render(CopyText, { text: "7f3a", copyLabel: "Copy", copiedLabel: "Copied" });
  await user.click(screen.getByRole("button", { name: "Copy: 7f3a" }));
  expect(await navigator.clipboard.readText()).toBe("7f3a");
  expect(screen.getByRole("status").textContent).toBe("Copied");

  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not allowed"));
  await user.click(screen.getByRole("button", { name: "Copy: 7f3a" }));
  expect(getSelection()?.toString()).toBe("7f3a");
});
