// Keeps the page on this phone, so that it opens although the laptop is away.
//
// It answers for the page's own files and for nothing else: the API, the certificate and the network test go to the
// laptop as if there were no worker. A newer page waits until the one in use is idle and says so.

import { TAKE_OVER } from "@showdesk/platform/take-over";

declare const self: ServiceWorkerGlobalScope;
/** The files of this build, and a name for exactly these; put in when it is built. */
declare const __FILES__: readonly string[];
declare const __VERSION__: string;

/** Routes are in the fragment, so this is the only document. */
const PAGE = "./";
const CACHES = "page-";
const CACHE = `${CACHES}${__VERSION__}`;
/** Files with a hash of their content in the name: what the browser has of them is as good as what the laptop has. */
const HASHED = "assets/";

const pathOf = (file: string) => new URL(file, self.location.href).pathname;
const page = pathOf(PAGE);
const kept = new Set([PAGE, ...__FILES__].map(pathOf));

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", (event) => {
  if (event.data === TAKE_OVER) event.waitUntil(self.skipWaiting());
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
