// What this browser can do here, asked once. Screens are never hidden because of it; they say what is missing.

/** Things that a page over plain HTTP mostly lacks. */
export interface Capabilities {
  /** A worker serves this page, so it opens without the laptop for sure. */
  readonly worksOffline: boolean;
  readonly camera: boolean;
  readonly wakeLock: boolean;
  readonly notifications: boolean;
  readonly persistentStorage: boolean;
  readonly vibrates: boolean;
}

/**
 * - quick: nothing to install; entries are kept while the page stays open
 * - field_ready: opens without the laptop, storage that lasts
 */
export type Level = "quick" | "field_ready";

/** Asks the browser. */
export function capabilities(scope: Window & typeof globalThis = window): Capabilities {
  const { navigator } = scope;
  return {
    worksOffline: "serviceWorker" in navigator && navigator.serviceWorker.controller !== null,
    camera: "mediaDevices" in navigator,
    wakeLock: "wakeLock" in navigator,
    notifications: scope.isSecureContext && "Notification" in scope,
    persistentStorage: "storage" in navigator && "persist" in navigator.storage,
    vibrates: "vibrate" in navigator,
  };
}

/** The level that these make. */
export function levelOf(able: Capabilities): Level {
  return able.worksOffline && able.persistentStorage ? "field_ready" : "quick";
}
