import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import ChipInput from "./ChipInput.svelte";
import MarkedText from "./MarkedText.svelte";
import StackBar from "./StackBar.svelte";
import { markedParts } from "./marked.ts";
import { Toasts } from "./toasts.svelte.ts";

// jsdom has no lines to scroll to.
Element.prototype.scrollIntoView ??= () => undefined;

const chips = [
  { key: "gate", label: "Gate crew", count: 3, countLabel: "3 people", removeLabel: "Take Gate crew away" },
];
const offers = [
  { key: "k-15", label: "Class 15", note: "Ring 1", count: "11 people" },
  { key: "k-16", label: "Class 16" },
];

function chipInput(change: object = {}) {
  const calls = { onadd: vi.fn(), onremove: vi.fn(), onquery: vi.fn(), onopen: vi.fn() };
  const given = { label: "To", listLabel: "Groups", chips, offers, query: "", ...calls, ...change };
  render(ChipInput, given);
  return calls;
}

test("arrows choose, Enter adds, Escape closes, and all of it leaves the focus in the field", async () => {
  const user = userEvent.setup();
  const { onadd, onopen } = chipInput();
  const field = screen.getByRole("combobox", { name: "To" });
  field.focus();
  expect(field.getAttribute("aria-expanded")).toBe("false");
  await user.keyboard("{ArrowDown}{ArrowDown}");
  expect(onopen).toHaveBeenCalledTimes(1);
  const second = screen.getByRole("option", { name: "Class 16" });
  expect(second.getAttribute("aria-selected")).toBe("true");
  expect(field.getAttribute("aria-activedescendant")).toBe(second.id);
  await user.keyboard("{Enter}");
  expect(onadd).toHaveBeenCalledWith("k-16");
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("option")).toBeNull();
  expect(document.activeElement).toBe(field);
});

test("Backspace in the empty field takes the last chip away; each chip has its own button", async () => {
  const user = userEvent.setup();
  const { onremove } = chipInput();
  screen.getByRole("combobox").focus();
  await user.keyboard("{Backspace}");
  expect(onremove).toHaveBeenLastCalledWith("gate");
  await user.click(screen.getByRole("button", { name: "Take Gate crew away" }));
  expect(onremove).toHaveBeenCalledTimes(2);
  expect(document.activeElement).toBe(screen.getByRole("combobox"));
});

test("Enter waits for the answer to what was typed, and never adds what was there before", async () => {
  const user = userEvent.setup();
  const onadd = vi.fn();
  const given = {
    label: "To",
    listLabel: "Groups",
    chips: [],
    query: "15",
    onremove: vi.fn(),
    onquery: vi.fn(),
    onadd,
  };
  const { rerender } = render(ChipInput, { ...given, offers, busy: true });
  screen.getByRole("combobox").focus();
  // Whoever is fast is in the next field by then.
  await user.keyboard("{ArrowDown}{Enter}{Tab}");
  expect(onadd).not.toHaveBeenCalled();
  await rerender({ ...given, offers: [{ key: "k-15", label: "Class 15" }], busy: false });
  expect(onadd).toHaveBeenCalledWith("k-15");
});

test("a marked text is a plain field: what is read is its value, and the marks behind it are nobody's", async () => {
  render(MarkedText, { label: "Message", value: "{class} to {ring}", pattern: /\{[a-z]+\}/g });
  const field = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  expect(field.value).toBe("{class} to {ring}");
  const marked = [...document.querySelectorAll("[aria-hidden='true'] span")].map((mark) => mark.textContent);
  expect(marked).toEqual(["{class}", "{ring}"]);
  expect(
    markedParts("a {b} c", /\{[a-z]+\}/g)
      .map(({ text }) => text)
      .join(""),
  ).toBe("a {b} c");
});

test("a bar has a name, and no place for what is not there", () => {
  render(StackBar, {
    label: "2 waiting, 7 seen",
    parts: [
      { tone: "waiting", value: 2 },
      { tone: "phone", value: 0 },
      { tone: "desk", value: 7 },
    ],
  });
  expect(screen.getByRole("img", { name: "2 waiting, 7 seen" }).children).toHaveLength(2);
});

test("a message that ends at a moment goes then, whoever points at it", () => {
  vi.useFakeTimers();
  const toasts = new Toasts();
  toasts.show({ text: "Sent.", tone: "plain", until: Date.now() + 8_000 });
  toasts.hold();
  vi.advanceTimersByTime(7_900);
  expect(toasts.current?.text).toBe("Sent.");
  vi.advanceTimersByTime(200);
  expect(toasts.current).toBeUndefined();
  vi.useRealTimers();
});
