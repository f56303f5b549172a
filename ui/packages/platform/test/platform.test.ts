import { afterEach, expect, test, vi } from "vitest";

import { browserPreferences, levelOf, playTones, type Capabilities } from "../src/index.ts";

const HTTP: Capabilities = {
  worksOffline: false,
  camera: false,
  wakeLock: false,
  notifications: false,
  persistentStorage: false,
  vibrates: true,
  fromHomeScreen: false,
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

test("two tones are played one after the other, and the sound is closed again", async () => {
  const starts: number[] = [];
  let isClosed = false;
  class Context {
    readonly currentTime = 10;
    readonly destination = {};
    resume = async () => undefined;
    close = async () => void (isClosed = true);
    createGain = () => ({ gain: { setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() }, connect: vi.fn() });
    createOscillator = () => {
      const tone = {
        frequency: { value: 0 },
        onended: () => undefined,
        connect: (next: unknown) => next,
        start: (at: number) => starts.push(at),
        stop: () => queueMicrotask(() => tone.onended()),
      };
      return tone;
    };
  }
  expect(await playTones({ AudioContext: Context } as never)).toBe(true);
  expect(starts).toHaveLength(2);
  expect(starts[1]).toBeGreaterThan(starts[0] ?? Infinity);
  expect(isClosed).toBe(true);
});

test("a browser without sound, or one that forbids it, plays nothing and says so", async () => {
  class Forbidden {
    resume = async () => {
      throw new Error("not allowed");
    };
    close = async () => undefined;
  }
  expect(await playTones({} as never)).toBe(false);
  expect(await playTones({ AudioContext: Forbidden } as never)).toBe(false);
});
