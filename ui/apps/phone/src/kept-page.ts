// Keeps the page on this phone where it can, and brings a newer one while nobody is in the middle of something.

import { askToKeep, capabilities, startWorker } from "@showdesk/platform";
import type { SyncStatus } from "@showdesk/sync";

/** Beside the page. */
const WORKER = "./sw.js";
/** How often a page that stays open looks for a newer one. */
const LOOK_MS = 10 * 60_000;
/** Nothing was touched for so long: nobody is in the middle of something. */
const IDLE_MS = 60_000;
const TICK_MS = 15_000;
/** How long a newer page may take to come when somebody asked for it. */
const COME_MS = 10_000;

/** What surrounds the page; tests pass their own. */
export interface Around {
  readonly status: () => SyncStatus;
  readonly start?: typeof startWorker;
  readonly reload?: () => void;
  readonly now?: () => number;
}

/** A page that its worker keeps. */
export interface KeptPage {
  /** Gets the laptop's page now, whatever waits here: entries outlive it. */
  renew(): void;
}

/** Begins to; on a page that can have no worker this is all that happens. */
export async function keepPage(around: Around): Promise<KeptPage | undefined> {
  const { start = startWorker, now = Date.now, reload = () => location.reload() } = around;
  // From the Home Screen browsers promise it without a question.
  if (capabilities().fromHomeScreen) void askToKeep();
  const worker = await start(WORKER);
  if (worker === undefined) return undefined;
  let touchedMs = now();
  let lookedMs = now();
  let isNewer = false;
  let isReplaced = false;
  let isAsked = false;
  const onTouch = () => (touchedMs = now());
  for (const event of ["pointerdown", "keydown", "scroll"]) {
    window.addEventListener(event, onTouch, { capture: true, passive: true });
  }
  const tick = () => {
    const { link } = around.status();
    if (link === "near" && now() - lookedMs > LOOK_MS) {
      lookedMs = now();
      worker.look();
    }
    if (!isAsked && !isIdle(around.status(), now() - touchedMs)) return;
    // The newer page is in charge: this one still runs the old one.
    if (isReplaced) reload();
    else if (isNewer) worker.switchOver();
  };
  worker.onWaiting(() => {
    isNewer = true;
    tick();
  });
  worker.onReplaced(() => {
    isReplaced = true;
    tick();
  });
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);
  return {
    renew: () => {
      isAsked = true;
      tick();
      worker.look();
      // There may be none, and another tab that is looked at holds one back.
      setTimeout(reload, COME_MS);
    },
  };
}

/**
 * Nobody would notice: nothing waits to be sent, and the page is not looked at or was not touched for a while.
 * What is typed and not saved outlives a reload by itself. What a page sends that is too old for the laptop is not
 * taken, so there nothing is gained by waiting.
 */
export function isIdle({ waiting, sending, access }: SyncStatus, untouchedMs: number): boolean {
  if (sending !== null || document.querySelector("dialog[open]") !== null) return false;
  if (waiting > 0 && access !== "too_old") return false;
  return document.visibilityState === "hidden" || untouchedMs > IDLE_MS;
}
