// JSON that comes from outside, and how to look into it without trusting its shape.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The text under a key; undefined if there is none. */
export function textAt(json: Json | undefined, key: string): string | undefined {
  const found = at(json, key);
  if (typeof found === "number") return String(found);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** What stands under a key of an object. */
export function at(json: Json | undefined, key: string): Json | undefined {
  if (json === null || json === undefined || typeof json !== "object" || Array.isArray(json)) return undefined;
  return Object.hasOwn(json, key) ? json[key] : undefined;
}

/** Whether two values are the same to a person. */
export function isSame(left: Json | undefined, right: Json | undefined): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}
