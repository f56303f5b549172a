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
  /** The page was opened from the Home Screen, without the browser around it. */
  readonly fromHomeScreen: boolean;
}

/** Whose settings and words a guide must name. */
export type PhoneKind = "iphone" | "android" | "other";

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
    fromHomeScreen: isStandalone(scope),
  };
}

/** The level that these make. */
export function levelOf(able: Capabilities): Level {
  return able.worksOffline && able.persistentStorage ? "field_ready" : "quick";
}

/** What kind of phone this is, as far as its browser says. An iPad calls itself a Mac, but no Mac has a touch screen. */
export function phoneKind({ navigator }: Window & typeof globalThis = window): PhoneKind {
  const agent = navigator.userAgent;
  if (/Android/i.test(agent)) return "android";
  const isIPad = /Macintosh/.test(agent) && navigator.maxTouchPoints > 1;
  return isIPad || /iPhone|iPad|iPod/.test(agent) ? "iphone" : "other";
}

function isStandalone(scope: Window & typeof globalThis): boolean {
  // Safari tells it in its own way, and newer ones in both.
  const isApple = "standalone" in scope.navigator && scope.navigator.standalone === true;
  return isApple || scope.matchMedia?.("(display-mode: standalone)").matches === true;
}
