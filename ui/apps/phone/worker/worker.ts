// Keeps the page on this phone, so that it opens although the laptop is away, and shows messages that come while the
// page is closed.
//
// It answers for the page's own files and for nothing else: the API, the certificate and the network test go to the
// laptop as if there were no worker. A newer page waits until the one in use is idle and says so.

import { leavePushed, OPEN_MESSAGES, PUSHED } from "@showdesk/platform/pushed";
import { TAKE_OVER } from "@showdesk/platform/take-over";

declare const self: ServiceWorkerGlobalScope;
/** The files of this build, and a name for exactly these; put in when it is built. */
declare const __FILES__: readonly string[];
declare const __VERSION__: string;

/** Routes are in the fragment, so this is the only document. */
const PAGE = "./";
const CACHES = "page-";
const CACHE = `${CACHES}${__VERSION__}`;
const MESSAGES = "#/messages";
const ICON = "./icons/192.png";
/** What the person reads if the message itself cannot be read. */
const NEWS = "News from the desk";
const TAKEN_BACK = "The desk took this back.";
/** Files with a hash of their content in the name: what the browser has of them is as good as what the laptop has. */
const HASHED = "assets/";

const pathOf = (file: string) => new URL(file, self.location.href).pathname;
const page = pathOf(PAGE);
const kept = new Set([PAGE, ...__FILES__].map(pathOf));

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", (event) => {
  if (event.data === TAKE_OVER) event.waitUntil(skipUnlessWatched(event.source));
});
self.addEventListener("push", (event) => event.waitUntil(show(event.data?.text() ?? "")));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openMessages());
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || !kept.has(url.pathname)) return;
  event.respondWith(answer(request, url.pathname));
});

/** All or nothing: a page with half its files would stop in the middle of a barn. */
async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  const asked = [PAGE, ...__FILES__].map((file) => {
    return new Request(file, { cache: file.startsWith(HASHED) ? "default" : "reload" });
  });
  await cache.addAll(asked);
}

/** Another page that somebody looks at goes on with its own files; that page asks as well when it is idle. */
async function skipUnlessWatched(asker: ExtendableMessageEvent["source"]): Promise<void> {
  // The pages still belong to the worker before.
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const own = asker !== null && "id" in asker ? asker.id : undefined;
  if (pages.some(({ id, visibilityState }) => id !== own && visibilityState === "visible")) return;
  await self.skipWaiting();
}

async function takeOver(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHES) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  // The page that has just asked for the worker is kept from now on, not only after its next start.
  await self.clients.claim();
}

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const found = await cache.match(path === page ? page : path, { ignoreSearch: true, ignoreVary: true });
  // Browsers clear caches when a phone is full: then the laptop is asked as ever.
  return found ?? (await fetch(request));
}

/** A message as the desk writes it to a push service; what is missing is left out. */
interface Pushed {
  readonly id?: string;
  readonly title?: string;
  readonly body?: string | null;
  readonly priority?: string;
  readonly retracted_at?: string | null;
  readonly reminded_at?: string | null;
}

/**
 * Leaves the message for the page, and shows it. Browsers ask that each one be shown; one with the same id as another
 * takes its place, so what came by the show's Wi-Fi as well is there once.
 */
async function show(text: string): Promise<void> {
  const told = read(text);
  const { id, title } = told;
  if (id === undefined || title === undefined) {
    // Not the desk's, or of a newer one: the page asks the laptop what it is.
    return await self.registration.showNotification(NEWS, { tag: NEWS, icon: ICON });
  }
  await leavePushed(id, text, self);
  const pages = await self.clients.matchAll({ type: "window" });
  const isSeen = pages.some((open) => open.visibilityState === "visible");
  const isOver = (told.retracted_at ?? null) !== null;
  const isUrgent = told.priority === "urgent" && !isOver;
  await self.registration.showNotification(title, {
    body: isOver ? TAKEN_BACK : (told.body ?? ""),
    tag: id,
    icon: ICON,
    data: { id },
    silent: isSeen || isOver,
    requireInteraction: isUrgent,
    // A reminder must be noticed although the first one is still there.
    ...({ renotify: !isSeen && (told.reminded_at ?? null) !== null } satisfies { renotify: boolean }),
  });
  // Now that it stands there, a page in which it was read can take it away.
  for (const open of pages) open.postMessage(PUSHED);
}

/** The page that is open, or a new one. */
async function openMessages(): Promise<void> {
  const [open] = await self.clients.matchAll({ type: "window" });
  if (open === undefined) {
    await self.clients.openWindow(`${PAGE}${MESSAGES}`);
    return;
  }
  open.postMessage(OPEN_MESSAGES);
  await open.focus();
}

function read(text: string): Pushed {
  try {
    const told: unknown = JSON.parse(text);
    if (typeof told !== "object" || told === null) return {};
    const texts = Object.entries(told).filter(([, value]) => typeof value === "string");
    return Object.fromEntries(texts);
  } catch {
    return {};
  }
}
