import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { TOAST_MS, Toasts } from "./toasts.svelte.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a message goes away by itself after ten seconds", () => {
  const toasts = new Toasts();
  toasts.show({ text: "Saved", tone: "plain" });
  vi.advanceTimersByTime(TOAST_MS - 1);
  expect(toasts.current?.text).toBe("Saved");
  vi.advanceTimersByTime(1);
  expect(toasts.current).toBeUndefined();
});

test("a message stays while somebody is on it", () => {
  const toasts = new Toasts();
  toasts.show({ text: "Saved", tone: "plain" });
  toasts.hold();
  vi.advanceTimersByTime(TOAST_MS * 3);
  expect(toasts.current?.text).toBe("Saved");
  toasts.resume();
  vi.advanceTimersByTime(TOAST_MS);
  expect(toasts.current).toBeUndefined();
});

test("an undo runs once", () => {
  const run = vi.fn();
  const toasts = new Toasts();
  toasts.show({ text: "Saved", tone: "plain", action: { label: "Undo", run } });
  expect(toasts.act()).toBe(true);
  expect(toasts.act()).toBe(false);
  expect(run).toHaveBeenCalledTimes(1);
});

test("a new message replaces the last and has its full time", () => {
  const toasts = new Toasts();
  toasts.show({ text: "First", tone: "plain" });
  vi.advanceTimersByTime(TOAST_MS - 1);
  toasts.show({ text: "Second", tone: "plain" });
  vi.advanceTimersByTime(TOAST_MS - 1);
  expect(toasts.current?.text).toBe("Second");
});
