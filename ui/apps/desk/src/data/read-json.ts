// What came out of a JSON text is JSON: the contract only does not say which.

import type { Json } from "../text/json.ts";
import type { Row } from "./desk-api.ts";

export function json(value: unknown): Json {
  return (value ?? null) as Json;
}

/** An object's members; none of anything else. */
export function row(value: unknown): Row {
  return rowOrNone(value) ?? {};
}

export function rowOrNone(value: unknown): Row | undefined {
  const found = json(value);
  return found === null || typeof found !== "object" || Array.isArray(found) ? undefined : found;
}

/** One of the words that are known; another one is shown as the plainest. */
export function known<Word extends string>(words: readonly Word[], word: string, or: Word): Word {
  return words.find((one) => one === word) ?? or;
}
