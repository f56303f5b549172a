// The worker in the hands of a browser that is not there: what it keeps, and what it never touches.

import { beforeEach, expect, test, vi } from "vitest";

/** Not named where it is imported: its types are a worker's, and these tests live in a page. */
const WORKER = "../worker/worker.ts";
const ORIGIN = "https://192.168.1.20:7443";
const FILES = ["assets/index-1.js", "assets/index-1.css", "icons/192.png", "manifest.webmanifest"];

type Listener = (event: Record<string, unknown>) => void;

/** In a worker an address is read from where the worker lies. */
class RequestThere extends Request {
  constructor(path: string, init?: RequestInit) {
    super(new URL(path, `${ORIGIN}/`), init);
  }
}

/** One browser's caches and the worker's own events. */
class Browser {
  readonly listeners = new Map<string, Listener>();
  readonly stored = new Map<string, Map<string, string>>();
  /** How files were asked for while the page was stored. */
  readonly asked: [string, RequestCache][] = [];
  readonly went: string[] = [];
  readonly skipWaiting = vi.fn(async () => undefined);
  readonly claim = vi.fn(async () => undefined);
  isDown = false;
  /** The pages that are open. */
  pages: { id: string; visibilityState: DocumentVisibilityState }[] = [];
  /** What was said to them. */
  readonly said: unknown[] = [];
  readonly focus = vi.fn(async () => undefined);
  readonly openWindow = vi.fn(async () => undefined);
  /** Messages that were shown outside the page. */
  readonly shown: [string, Record<string, unknown>][] = [];
  /** What was done, in order. */
  readonly done: string[] = [];

  readonly caches = {
    open: async (name: string) => {
      const files = this.stored.get(name) ?? new Map<string, string>();
      this.stored.set(name, files);
      return {
        addAll: async (requests: Request[]) => {
          if (this.isDown) throw new TypeError("no laptop");
          for (const { url, cache } of requests) {
            const { pathname } = new URL(url);
            this.asked.push([pathname, cache]);
            files.set(pathname, `${name} ${pathname}`);
          }
        },
        put: async (path: string, response: Response) => void files.set(path, await response.text()),
        match: async (path: string) => (files.has(path) ? new Response(files.get(path)) : undefined),
      };
    },
    keys: async () => [...this.stored.keys()],
    delete: async (name: string) => this.stored.delete(name),
  };

  /** Sends an event to the worker and waits for what it asks to be waited for. */
  async tell(type: string, event: Record<string, unknown> = {}): Promise<void> {
    const waits: Promise<unknown>[] = [];
    this.listeners.get(type)?.({ ...event, waitUntil: (wait: Promise<unknown>) => waits.push(wait) });
    await Promise.all(waits);
  }

  /** What the worker answers; null if it lets the request go to the laptop by itself. */
  async fetch(path: string, method: string = "GET", origin: string = ORIGIN): Promise<string | null> {
    let answer: Promise<Response> | undefined;
    const request = new Request(`${origin}${path}`, { method });
    this.listeners.get("fetch")?.({ request, respondWith: (told: Promise<Response>) => (answer = told) });
    return answer === undefined ? null : await (await answer).text();
  }
}

let browser: Browser;

beforeEach(() => (browser = new Browser()));

async function startWorker(version: string): Promise<void> {
  vi.resetModules();
  const self = {
    location: { href: `${ORIGIN}/sw.js`, origin: ORIGIN },
    addEventListener: (type: string, listener: Listener) => browser.listeners.set(type, listener),
    skipWaiting: browser.skipWaiting,
    caches: browser.caches,
    clients: {
      claim: browser.claim,
      matchAll: async () => {
        const postMessage = (said: unknown) => {
          browser.said.push(said);
          browser.done.push("said");
        };
        return browser.pages.map((open) => ({ ...open, postMessage, focus: browser.focus }));
      },
      openWindow: browser.openWindow,
    },
    registration: {
      showNotification: async (title: string, options: Record<string, unknown>) => {
        await Promise.resolve();
        browser.shown.push([title, options]);
        browser.done.push("shown");
      },
    },
  };
  vi.stubGlobal("self", self);
  vi.stubGlobal("caches", browser.caches);
  vi.stubGlobal("__FILES__", FILES);
  vi.stubGlobal("__VERSION__", version);
  vi.stubGlobal("Request", RequestThere);
  vi.stubGlobal("fetch", async ({ url }: Request) => {
    browser.went.push(url);
    return new Response("from the laptop");
  });
  await import(WORKER);
}

test("the page and all its files are kept, and answered without the laptop", async () => {
  await startWorker("one");
  await browser.tell("install");
  await browser.tell("activate");
  browser.isDown = true;
  expect(await browser.fetch("/")).toBe("page-one /");
  expect(await browser.fetch("/?from=icon")).toBe("page-one /");
  expect(await browser.fetch("/assets/index-1.js")).toBe("page-one /assets/index-1.js");
  expect(browser.went).toEqual([]);
  expect(browser.claim).toHaveBeenCalled();
});

test("only what has its content in its name may come from what the browser already has", async () => {
  await startWorker("one");
  await browser.tell("install");
  expect(Object.fromEntries(browser.asked)).toEqual({
    "/": "reload",
    "/assets/index-1.js": "default",
    "/assets/index-1.css": "default",
    "/icons/192.png": "reload",
    "/manifest.webmanifest": "reload",
  });
});

test.each([
  ["/api/v1/ping", "GET"],
  ["/api/v1/sync/push", "POST"],
  ["/ca.crt", "GET"],
  ["/ca.mobileconfig", "GET"],
  ["/test/abc", "GET"],
  ["/sw.js", "GET"],
  ["/", "POST"],
])("%s (%s) goes to the laptop as if there were no worker", async (path, method) => {
  await startWorker("one");
  await browser.tell("install");
  expect(await browser.fetch(path, method)).toBeNull();
});

test("the laptop's other addresses are not the worker's business", async () => {
  await startWorker("one");
  await browser.tell("install");
  expect(await browser.fetch("/", "GET", "https://10.0.0.7:7443")).toBeNull();
});

test("a file that the browser has thrown away is asked for again", async () => {
  await startWorker("one");
  expect(await browser.fetch("/assets/index-1.js")).toBe("from the laptop");
});

test("a newer worker stores its page beside the old one, and waits until it is told", async () => {
  await startWorker("one");
  await browser.tell("install");
  await browser.tell("activate");
  await startWorker("two");
  await browser.tell("install");
  expect([...browser.stored.keys()]).toEqual(["page-one", "page-two"]);
  expect(browser.skipWaiting).not.toHaveBeenCalled();
  await browser.tell("message", { data: "something else" });
  expect(browser.skipWaiting).not.toHaveBeenCalled();
  browser.pages = [
    { id: "asks", visibilityState: "hidden" },
    { id: "used", visibilityState: "visible" },
  ];
  await browser.tell("message", { data: "take-over", source: { id: "asks" } });
  expect(browser.skipWaiting).not.toHaveBeenCalled();
  await browser.tell("message", { data: "take-over", source: { id: "used" } });
  expect(browser.skipWaiting).toHaveBeenCalledTimes(1);
  await browser.tell("activate");
  expect([...browser.stored.keys()]).toEqual(["page-two"]);
  expect(await browser.fetch("/")).toBe("page-two /");
});

test("a worker that cannot store all of its page is none", async () => {
  await startWorker("one");
  browser.isDown = true;
  await expect(browser.tell("install")).rejects.toThrow();
});

const STORM = { seq: 7, id: "storm", title: "Lightning", body: "Wait inside.", priority: "urgent", retracted_at: null };
const push = (told: unknown) => browser.tell("push", { data: { text: () => JSON.stringify(told) } });

test("a message that comes while the page is closed is shown, and left for the page", async () => {
  await startWorker("one");
  await push(STORM);
  const [title, options] = browser.shown[0] ?? [];
  expect(title).toBe("Lightning");
  expect(options).toMatchObject({ body: "Wait inside.", tag: "storm", requireInteraction: true, silent: false });
  expect(JSON.parse(browser.stored.get("pushed")?.get("./pushed/storm") ?? "")).toEqual(STORM);
  expect(browser.went).toEqual([]);
});

test("the same message again takes the place of the first, and makes a sound only as a reminder", async () => {
  await startWorker("one");
  await push(STORM);
  await push(STORM);
  await push({ ...STORM, seq: 8, reminded_at: "2026-11-22T09:50:00Z" });
  expect(browser.shown.map(([, { tag, renotify }]) => [tag, renotify])).toEqual([
    ["storm", false],
    ["storm", false],
    ["storm", true],
  ]);
});

test("a page that is looked at is told once the message stands there, and the phone makes no second sound", async () => {
  await startWorker("one");
  browser.pages = [{ id: "page", visibilityState: "visible" }];
  await push(STORM);
  expect(browser.said).toEqual(["pushed"]);
  // Earlier, and a page in which it is read at once would find nothing to take away.
  expect(browser.done).toEqual(["shown", "said"]);
  expect(browser.shown[0]?.[1]).toMatchObject({ silent: true });
});

test("what the desk took back says so without a sound", async () => {
  await startWorker("one");
  await push({ ...STORM, retracted_at: "2026-11-22T09:50:00Z" });
  expect(browser.shown[0]?.[1]).toMatchObject({
    body: "The desk took this back.",
    silent: true,
    requireInteraction: false,
  });
});

test.each(["", "[]", "null", "no json", '{"title": "No id"}'])(
  "a message that cannot be read (%j) is news",
  async (text) => {
    await startWorker("one");
    await browser.tell("push", { data: { text: () => text } });
    expect(browser.shown.map(([title]) => title)).toEqual(["News from the desk"]);
    expect(browser.stored.has("pushed")).toBe(false);
  },
);

test("a tap on a message opens the page's messages, or a page if none is open", async () => {
  await startWorker("one");
  const notification = { close: vi.fn() };
  await browser.tell("notificationclick", { notification });
  expect(browser.openWindow).toHaveBeenCalledWith("./#/messages");
  browser.pages = [{ id: "page", visibilityState: "hidden" }];
  await browser.tell("notificationclick", { notification });
  expect(browser.said).toEqual(["open-messages"]);
  expect(browser.focus).toHaveBeenCalledTimes(1);
  expect(notification.close).toHaveBeenCalledTimes(2);
});

test("messages that wait for the page outlive a newer worker", async () => {
  await startWorker("one");
  await push(STORM);
  await startWorker("two");
  await browser.tell("install");
  await browser.tell("activate");
  expect(browser.stored.get("pushed")?.size).toBe(1);
});
