import { afterEach, expect, test, vi } from "vitest";

import { browserPreferences, levelOf, Speaker, TWO_TONES, vibrate, type Capabilities } from "../src/index.ts";

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

/** A browser's sound, which may wait for a tap. */
function soundOf(isAllowed: () => boolean) {
  const starts: number[] = [];
  const listeners = new Map<string, () => unknown>();
  let made = 0;
  class Context {
    readonly currentTime = 10;
    readonly destination = {};
    state = "suspended";
    constructor() {
      made += 1;
    }
    resume = async () => void (this.state = isAllowed() ? "running" : "suspended");
    suspend = async () => void (this.state = "suspended");
    createGain = () => ({
      gain: { setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() },
      connect: (next: unknown) => next,
      disconnect: vi.fn(),
    });
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
  const addEventListener = (type: string, listener: () => unknown, { signal }: { signal: AbortSignal }) => {
    listeners.set(type, listener);
    signal.addEventListener("abort", () => listeners.delete(type));
  };
  const speaker = new Speaker({ AudioContext: Context, addEventListener } as never);
  return { speaker, starts, listeners, made: () => made };
}

test("two tones are played one after the other, by one sound for the whole page", async () => {
  const { speaker, starts, made } = soundOf(() => true);
  expect(await speaker.play()).toBe(true);
  expect(starts).toHaveLength(TWO_TONES.length);
  expect(starts[1]).toBeGreaterThan(starts[0] ?? Infinity);
  expect(await speaker.play([440])).toBe(true);
  expect(made()).toBe(1);
});

test("what was hushed before the browser let it begin, does not begin", async () => {
  const { speaker, starts } = soundOf(() => true);
  const playing = speaker.play();
  speaker.hush();
  await playing;
  expect(starts).toEqual([]);
  await speaker.play();
  expect(starts).toHaveLength(TWO_TONES.length);
});

test("sound that waits for a tap is asked for with the next one, and then plays without", async () => {
  let isTapped = false;
  const { speaker, starts, listeners } = soundOf(() => isTapped);
  expect(await speaker.play()).toBe(false);
  expect(starts).toEqual([]);
  await listeners.get("click")?.();
  expect(listeners.size).toBeGreaterThan(0);
  isTapped = true;
  await listeners.get("click")?.();
  expect(listeners.size).toBe(0);
  expect(await speaker.play()).toBe(true);
});

test("a browser without sound, or one that forbids it, plays nothing and says so", async () => {
  class Forbidden {
    resume = async () => {
      throw new Error("not allowed");
    };
  }
  expect(await new Speaker({} as never).play()).toBe(false);
  expect(await new Speaker({ AudioContext: Forbidden, addEventListener: vi.fn() } as never).play()).toBe(false);
});

test("a phone that cannot vibrate says so", () => {
  const shaken: number[][] = [];
  const able = { vibrate: (pattern: number[]) => shaken.push(pattern) > 0 };
  expect(vibrate([200, 100, 200], { navigator: able } as never)).toBe(true);
  expect(vibrate([200], { navigator: {} } as never)).toBe(false);
  expect(shaken).toEqual([[200, 100, 200]]);
});
