// Whether the browser promises to keep what this page stores.

/**
 * - kept: promised
 * - may_be_cleared: asked, and not promised
 * - unknown: this browser, or a page over plain HTTP, cannot be asked
 */
export type StoragePromise = "kept" | "may_be_cleared" | "unknown";

/** What was promised so far. Asks nobody. */
export async function storagePromise(scope: Window & typeof globalThis = window): Promise<StoragePromise> {
  return await answered(scope, (storage) => storage.persisted());
}

/** Asks for the promise. Some browsers ask the person, so this belongs to a tap. */
export async function askToKeep(scope: Window & typeof globalThis = window): Promise<StoragePromise> {
  return await answered(scope, async (storage) => (await storage.persisted()) || (await storage.persist()));
}

async function answered(
  { navigator }: Window & typeof globalThis,
  ask: (storage: StorageManager) => Promise<boolean>,
): Promise<StoragePromise> {
  if (!("storage" in navigator) || !("persist" in navigator.storage)) return "unknown";
  try {
    return (await ask(navigator.storage)) ? "kept" : "may_be_cleared";
  } catch {
    return "unknown";
  }
}
