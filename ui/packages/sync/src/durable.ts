// Storage fails in two ways that a person must not confuse: a connection that died in the background, and a full phone.

import { Dexie } from "dexie";

import type { Store } from "./store.ts";

/** The entry was not saved: the phone's storage is full. */
export class StorageFull extends Error {
  override readonly name = "StorageFull";
}

const LOST_CONNECTION = new Set(["DatabaseClosedError", "InvalidStateError", "UnknownError", "OpenFailedError"]);

/** Runs `work`; if the connection had died it is opened anew and the work done once more. */
export async function durably<T>(store: Store, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isQuota(error)) throw new StorageFull("storage is full", { cause: error });
    if (!isLostConnection(error)) throw error;
  }
  store.close({ disableAutoOpen: false });
  await store.open();
  try {
    return await work();
  } catch (error) {
    if (isQuota(error)) throw new StorageFull("storage is full", { cause: error });
    throw error;
  }
}

function isLostConnection(error: unknown): boolean {
  return error instanceof Error && LOST_CONNECTION.has(error.name);
}

function isQuota(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const inner = error instanceof Dexie.DexieError ? error.inner : undefined;
  return error.name === "QuotaExceededError" || (inner instanceof Error && inner.name === "QuotaExceededError");
}
