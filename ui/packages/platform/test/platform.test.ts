import { afterEach, expect, test, vi } from "vitest";

import { browserPreferences, levelOf, type Capabilities } from "../src/index.ts";

const HTTP: Capabilities = {
  worksOffline: false,
  camera: false,
  wakeLock: false,
  notifications: false,
  persistentStorage: false,
  vibrates: true,
};

afterEach(() => vi.restoreAllMocks());

test("plain HTTP is the quick level, and storage alone does not make it field-ready", () => {
  expect(levelOf(HTTP)).toBe("quick");
  expect(levelOf({ ...HTTP, persistentStorage: true })).toBe("quick");
  expect(levelOf({ ...HTTP, persistentStorage: true, worksOffline: true })).toBe("field_ready");
});

test("a setting outlives the object that wrote it", () => {
  browserPreferences().write("sun", "on");
  expect(browserPreferences().read("sun")).toBe("on");
});

test("a browser that refuses storage keeps the setting while the page is open", () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  vi.spyOn(Storage.prototype, "getItem").mockImplementation(() => {
    throw new DOMException("denied", "SecurityError");
  });
  const preferences = browserPreferences();
  preferences.write("text", "large");
  expect(preferences.read("text")).toBe("large");
});
