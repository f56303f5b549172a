// Messages outside the page, in the hands of a browser that is not there.

import { expect, test, vi } from "vitest";

import { leavePushed, takePushed } from "../src/pushed.ts";
import {
  askForMessages,
  hearPushed,
  hideOutside,
  messagesLeave,
  showOutside,
  subscribe,
  unsubscribe,
} from "../src/subscription.ts";

const KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

/** Keys and texts, as a browser's caches keep them. */
function cachesOf() {
  const kept = new Map<string, string>();
  const cache = {
    put: async (key: string, response: Response) => void kept.set(key, await response.text()),
    keys: async () => [...kept.keys()],
    match: async (key: string) => (kept.has(key) ? new Response(kept.get(key)) : undefined),
    delete: async (key: string) => kept.delete(key),
  };
  return { kept, caches: { open: async () => cache } as never };
}

/** A field-ready page; `permission` is what the person has said. */
function field(permission: NotificationPermission, { hasWorker = true, isIPhone = false, hasPush = true } = {}) {
  const said: unknown[] = [];
  let present: { key: string } | null = null;
  const Notification = { permission, requestPermission: vi.fn(async () => (Notification.permission = "granted")) };
  const asPush = (key: string) => ({
    options: {
      applicationServerKey: Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))
        .buffer,
    },
    toJSON: () => ({ endpoint: `https://push.example/${key.slice(0, 4)}`, keys: { p256dh: "p", auth: "a" } }),
    unsubscribe: async () => {
      present = null;
      said.push("unsubscribed");
    },
  });
  const pushManager = {
    getSubscription: async () => (present === null ? null : asPush(present.key)),
    subscribe: async ({ applicationServerKey }: { applicationServerKey: Uint8Array }) => {
      const key = btoa(String.fromCharCode(...applicationServerKey))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replace(/=+$/, "");
      present = { key };
      said.push(`subscribed ${key.slice(0, 4)}`);
      return asPush(key);
    },
  };
  const shown = new Map<string, { tag: string; close: () => void }>();
  const registration = {
    pushManager,
    showNotification: async (title: string, { tag }: { tag: string }) => {
      said.push(`showed ${title}`);
      shown.set(tag, { tag, close: () => shown.delete(tag) });
    },
    getNotifications: async () => [...shown.values()],
  };
  const listeners: ((event: { data: unknown }) => void)[] = [];
  const serviceWorker = {
    controller: hasWorker ? {} : null,
    ready: Promise.resolve(registration),
    getRegistration: async () => registration,
    addEventListener: (_: string, listener: (event: { data: unknown }) => void) => listeners.push(listener),
  };
  const { kept, caches } = cachesOf();
  const scope = {
    isSecureContext: true,
    navigator: { serviceWorker, ...(isIPhone ? { standalone: false } : {}) },
    caches,
    ...(hasPush ? { Notification, PushManager: () => undefined } : {}),
  } as never as Window & typeof globalThis;
  const tell = (data: unknown) => listeners.forEach((listener) => listener({ data }));
  return { scope, said, shown, kept, tell, Notification };
}

test("what the person and the browser have said", () => {
  expect(messagesLeave({ isSecureContext: false, navigator: {} } as never)).toBe("none");
  expect(messagesLeave(field("default", { hasWorker: false }).scope)).toBe("none");
  expect(messagesLeave(field("default").scope)).toBe("ask");
  expect(messagesLeave(field("denied").scope)).toBe("denied");
  expect(messagesLeave(field("granted").scope)).toBe("granted");
  expect(messagesLeave(field("default", { hasPush: false }).scope)).toBe("none");
  expect(messagesLeave(field("default", { hasPush: false, isIPhone: true }).scope)).toBe("home_screen");
});

test("the person is asked once, and never after a no", async () => {
  const asked = field("default");
  expect(await askForMessages(asked.scope)).toBe("granted");
  expect(asked.Notification.requestPermission).toHaveBeenCalledTimes(1);
  const refused = field("denied");
  expect(await askForMessages(refused.scope)).toBe("denied");
  expect(refused.Notification.requestPermission).not.toHaveBeenCalled();
});

test("one subscription for one key, and another for another", async () => {
  const { scope, said } = field("granted");
  const first = await subscribe(KEY, scope);
  expect(first).toEqual({ endpoint: "https://push.example/BCVx", p256dh: "p", auth: "a" });
  expect(await subscribe(KEY, scope)).toEqual(first);
  await subscribe(`BA${KEY.slice(2)}`, scope);
  expect(said).toEqual(["subscribed BCVx", "unsubscribed", "subscribed BAVx"]);
  await unsubscribe(scope);
  expect(said.at(-1)).toBe("unsubscribed");
});

test("who leaves takes nothing along that was left for the page", async () => {
  const { scope, kept } = field("granted");
  await leavePushed("one", JSON.stringify({ id: "one" }), scope);
  await unsubscribe(scope);
  expect(kept.size).toBe(0);
});

test("a message outside the page goes once it was read inside", async () => {
  const { scope, shown } = field("granted");
  await showOutside({ id: "one", title: "One", body: "", isUrgent: false }, scope);
  await showOutside({ id: "two", title: "Two", body: "", isUrgent: true }, scope);
  await hideOutside(new Set(["one"]), scope);
  expect([...shown.keys()]).toEqual(["two"]);
});

test("nothing is shown outside the page without leave", async () => {
  const { scope, said } = field("default");
  await showOutside({ id: "one", title: "One", body: "", isUrgent: false }, scope);
  expect(said).toEqual([]);
});

test("what the worker has left is taken once: at the start, and when it says so", async () => {
  const { scope, kept, tell } = field("granted");
  await leavePushed("one", JSON.stringify({ id: "one" }), scope);
  const taken: unknown[] = [];
  const open = vi.fn();
  await hearPushed({ take: (told) => taken.push(told), open }, scope);
  expect(taken).toEqual([{ id: "one" }]);
  await leavePushed("two", "broken", scope);
  await leavePushed("three", JSON.stringify({ id: "three" }), scope);
  tell("pushed");
  await expect.poll(() => taken.length).toBe(3);
  expect(taken).toEqual([{ id: "one" }, undefined, { id: "three" }]);
  expect(kept.size).toBe(0);
  expect(await takePushed(scope)).toEqual([]);
  tell("open-messages");
  expect(open).toHaveBeenCalledTimes(1);
});
