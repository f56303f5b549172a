// Keeps the page on this phone where it can, and brings a newer one while nobody is in the middle of something.

import { askToKeep, capabilities, startWorker, type PageWorker } from "@showdesk/platform";
import type { SyncStatus } from "@showdesk/sync";

/** Beside the page. */
const WORKER = "./sw.js";
/** How often a page that stays open looks for a newer one. */
const LOOK_MS = 10 * 60_000;
/** Nothing was touched for so long: nobody is in the middle of something. */
const IDLE_MS = 60_000;
const TICK_MS = 15_000;

/** What surrounds the page; tests pass their own. */
export interface Around {
  readonly status: () => SyncStatus;
  readonly start?: typeof startWorker;
  readonly reload?: () => void;
  readonly now?: () => number;
}

/** Begins to; on a page that can have no worker this is all that happens. */
export async function keepPage(around: Around): Promise<void> {
  const { start = startWorker, now = Date.now } = around;
  // From the Home Screen browsers promise it without a question.
  if (capabilities().fromHomeScreen) void askToKeep();
  const worker = await start(WORKER);
  if (worker === undefined) return;
  let touchedMs = now();
  let lookedMs = now();
  let isNewer = false;
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
    if (isNewer && isIdle(around.status(), now() - touchedMs)) renew(worker, around);
  };
  worker.onWaiting(() => {
    isNewer = true;
    tick();
  });
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);
}

/**
 * Nobody would notice: nothing waits to be sent, and the page is not looked at or was not touched for a while.
 * What is typed and not saved outlives a reload by itself.
 */
export function isIdle({ waiting, sending }: SyncStatus, untouchedMs: number): boolean {
  if (waiting > 0 || sending !== null || document.querySelector("dialog[open]") !== null) return false;
  return document.visibilityState === "hidden" || untouchedMs > IDLE_MS;
}

function renew(worker: PageWorker, { reload = () => location.reload() }: Around): void {
  worker.switchOver(reload);
}
