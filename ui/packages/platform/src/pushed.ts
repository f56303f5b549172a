// Messages that came through the internet, left by the worker for the page: it may be closed, or away from the laptop,
// when they come. Both sides know this file.

/** Beside the caches of the page itself, which a newer page throws away. */
const CACHE = "pushed";
/** A message left more than this is the push service's fault, not the person's. */
const LEFT_MAX = 50;
/** What the worker says to open pages when it has left something. */
export const PUSHED = "pushed";
/** What it says to the page that is to show the messages. */
export const OPEN_MESSAGES = "open-messages";

/** Caches as a page or a worker has them. */
type Scope = Pick<WindowOrWorkerGlobalScope, "caches">;

/** Leaves a message for the page, under its id. */
export async function leavePushed(id: string, text: string, { caches }: Scope): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.put(`./pushed/${encodeURIComponent(id)}`, new Response(text));
}

/** Takes what was left: each is given once. */
export async function takePushed({ caches }: Scope): Promise<unknown[]> {
  const cache = await caches.open(CACHE);
  const left: unknown[] = [];
  for (const key of (await cache.keys()).slice(0, LEFT_MAX)) {
    const text = await (await cache.match(key))?.text();
    await cache.delete(key);
    left.push(jsonOf(text ?? ""));
  }
  return left;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
