// What a page that came with a certificate can do more, and that all others go without it.

import { expect, test, vi } from "vitest";

import { capabilities, homeScreen, phoneKind, startWorker, storagePromise, askToKeep } from "../src/index.ts";
import { TAKE_OVER } from "../src/take-over.ts";

type Scope = Window & typeof globalThis;

/** A browser's window, as far as it is asked. */
function scopeWith(parts: { secure?: boolean; protocol?: string; navigator?: object; standalone?: boolean }): Scope {
  const scope = {
    isSecureContext: parts.secure ?? true,
    location: { protocol: parts.protocol ?? "https:" },
    navigator: parts.navigator ?? {},
    matchMedia: () => ({ matches: parts.standalone ?? false }),
  };
  return scope as unknown as Scope;
}

class Registration extends EventTarget {
  waiting: { postMessage: (word: string) => void } | null = null;
  installing: EventTarget | null = null;
  update = vi.fn(async () => undefined);
}

function browserWith(registration: Registration, controller: object | null = {}) {
  const container = Object.assign(new EventTarget(), { controller, register: vi.fn(async () => registration) });
  return { container, scope: scopeWith({ navigator: { serviceWorker: container } }) };
}

test.each([
  ["over plain HTTP", { protocol: "http:", secure: false }],
  ["on the laptop itself, which counts as secure", { protocol: "http:", secure: true }],
  ["after a warning was clicked through", { protocol: "https:", secure: false }],
])("no worker is registered %s", async (_, parts) => {
  const { container } = browserWith(new Registration());
  expect(
    await startWorker("./sw.js", scopeWith({ ...parts, navigator: { serviceWorker: container } })),
  ).toBeUndefined();
  expect(container.register).not.toHaveBeenCalled();
});

test("a browser that refuses the worker has a page without one", async () => {
  const { container, scope } = browserWith(new Registration());
  container.register.mockRejectedValueOnce(new DOMException("certificate", "SecurityError"));
  expect(await startWorker("./sw.js", scope)).toBeUndefined();
});

test("a newer worker is told of once it waits, and takes over only when it is asked to", async () => {
  const registration = new Registration();
  const { container, scope } = browserWith(registration);
  const worker = await startWorker("./sw.js", scope);
  const [told, replaced, posted] = [vi.fn(), vi.fn(), vi.fn()];
  worker?.onWaiting(told);
  worker?.onReplaced(replaced);
  worker?.switchOver();
  expect([told.mock.calls.length, replaced.mock.calls.length]).toEqual([0, 0]);
  registration.installing = new EventTarget();
  registration.dispatchEvent(new Event("updatefound"));
  registration.waiting = { postMessage: posted };
  registration.installing.dispatchEvent(new Event("statechange"));
  expect(told).toHaveBeenCalledTimes(1);
  // Another tab that is looked at holds it back: it is asked for again and again.
  worker?.switchOver();
  worker?.switchOver();
  expect(posted.mock.calls).toEqual([[TAKE_OVER], [TAKE_OVER]]);
  expect(replaced).not.toHaveBeenCalled();
  container.controller = {};
  container.dispatchEvent(new Event("controllerchange"));
  container.dispatchEvent(new Event("controllerchange"));
  expect(replaced).toHaveBeenCalledTimes(1);
});

test("the first worker of a page replaces nothing, so nothing waits", async () => {
  const registration = new Registration();
  registration.waiting = { postMessage: vi.fn() };
  const told = vi.fn();
  (await startWorker("./sw.js", browserWith(registration, null).scope))?.onWaiting(told);
  expect(told).not.toHaveBeenCalled();
});

test.each([
  [true, true, "kept", "kept"],
  [false, true, "may_be_cleared", "kept"],
  [false, false, "may_be_cleared", "may_be_cleared"],
] as const)(
  "storage that is persisted: %j, and granted when asked: %j, is %s and then %s",
  async (is, grants, before, after) => {
    const persist = vi.fn(async () => grants);
    const scope = scopeWith({ navigator: { storage: { persisted: async () => is, persist } } });
    expect(await storagePromise(scope)).toBe(before);
    expect(persist).not.toHaveBeenCalled();
    expect(await askToKeep(scope)).toBe(after);
  },
);

test("a browser that cannot be asked, or fails, promises nothing", async () => {
  expect(await askToKeep(scopeWith({}))).toBe("unknown");
  const broken = { persisted: async () => Promise.reject(new Error("private")), persist: async () => true };
  expect(await storagePromise(scopeWith({ navigator: { storage: broken } }))).toBe("unknown");
});

test.each([
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari", 5, "iphone"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.0 Safari", 5, "iphone"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.0 Safari", 0, "other"],
  ["Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/130.0 Mobile Safari", 5, "android"],
  ["Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", 0, "other"],
])("%s with %i touches is %s", (userAgent, maxTouchPoints, kind) => {
  expect(phoneKind(scopeWith({ navigator: { userAgent, maxTouchPoints } }))).toBe(kind);
});

test("a page from the Home Screen is known by either way of telling", () => {
  expect(capabilities(scopeWith({ standalone: true })).fromHomeScreen).toBe(true);
  expect(capabilities(scopeWith({ navigator: { standalone: true } })).fromHomeScreen).toBe(true);
  expect(capabilities(scopeWith({})).fromHomeScreen).toBe(false);
});

test("the browser's offer is kept for later, and made once", async () => {
  const scope = new EventTarget();
  const changes: string[] = [];
  const screen = homeScreen((change) => changes.push(change), scope as unknown as Scope);
  expect(screen.canAsk).toBe(false);
  const prompt = vi.fn(async () => undefined);
  const offer = Object.assign(new Event("beforeinstallprompt", { cancelable: true }), { prompt });
  scope.dispatchEvent(offer);
  expect([screen.canAsk, offer.defaultPrevented]).toEqual([true, true]);
  await screen.ask();
  await screen.ask();
  expect(prompt).toHaveBeenCalledTimes(1);
  scope.dispatchEvent(new Event("appinstalled"));
  expect(changes).toEqual(["offered", "added"]);
});
