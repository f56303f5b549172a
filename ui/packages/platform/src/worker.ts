// The worker that keeps the page for times without the laptop. It exists only on a page that came with a certificate
// which the phone trusts: over plain HTTP browsers have none, and on the laptop itself none is needed.

import { TAKE_OVER } from "./take-over.ts";

/** The worker of the page, seen from the page. */
export interface PageWorker {
  /** Looks whether the laptop has a newer page; silence if it is away. */
  look(): void;
  /** Called when a newer page is on this phone and waits, until the returned function is. */
  onWaiting(listener: () => void): () => void;
  /** Called when a newer page has taken over, whoever asked for it: this page must load itself again. */
  onReplaced(listener: () => void): () => void;
  /** Lets the newer page take over, unless another one is looked at. */
  switchOver(): void;
}

/** Registers the worker at `url`; nothing where there can be none, or where the browser refuses it. */
export async function startWorker(
  url: string,
  scope: Window & typeof globalThis = window,
): Promise<PageWorker | undefined> {
  const { navigator, location } = scope;
  if (!scope.isSecureContext || location.protocol !== "https:" || !("serviceWorker" in navigator)) return undefined;
  try {
    return pageWorker(await navigator.serviceWorker.register(url), navigator.serviceWorker);
  } catch {
    // A private window, or a certificate that was only clicked through: the page works as one without a worker.
    return undefined;
  }
}

function pageWorker(registration: ServiceWorkerRegistration, container: ServiceWorkerContainer): PageWorker {
  return {
    look: () => void registration.update().catch(() => undefined),
    onWaiting: (listener) => {
      const ends = new AbortController();
      const { signal } = ends;
      const tell = () => {
        // The first one of all replaces no page.
        if (registration.waiting !== null && container.controller !== null) listener();
      };
      const follow = () => registration.installing?.addEventListener("statechange", tell, { signal });
      registration.addEventListener("updatefound", follow, { signal });
      // It may have been found before anybody asked.
      follow();
      tell();
      return () => ends.abort();
    },
    onReplaced: (listener) => {
      const ends = new AbortController();
      let before = container.controller;
      const tell = () => {
        if (before !== null && container.controller !== before) listener();
        before = container.controller;
      };
      container.addEventListener("controllerchange", tell, { signal: ends.signal });
      return () => ends.abort();
    },
    switchOver: () => registration.waiting?.postMessage(TAKE_OVER),
  };
}
