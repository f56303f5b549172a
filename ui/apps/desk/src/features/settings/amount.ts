// Numbers of the rules as a person types them. Blank means: no such rule.

const TENTHS_MAX = 99_999;
const COUNT_MAX = 500;

/** What was typed: a number, nothing (null), or something else (undefined). */
export type Amount = number | null | undefined;

/** `5.5 lb` → 55. */
export function parseTenths(text: string): Amount {
  const bare = text.trim().replace(/\s*(lb|kg)$/i, "");
  if (bare === "") return null;
  const match = /^(\d{1,4})(?:[.,](\d))?$/.exec(bare);
  if (match === null) return undefined;
  const tenths = Number(match[1]) * 10 + Number(match[2] ?? "0");
  return tenths <= TENTHS_MAX ? tenths : undefined;
}

/** 55 → `5.5`, as it stands in the field beside its unit. */
export function tenthsText(tenths: number): string {
  return String(tenths / 10);
}

/** A number of animals or places. */
export function parseCount(text: string): Amount {
  const bare = text.trim();
  if (bare === "") return null;
  const number = /^\d{1,3}$/.test(bare) ? Number(bare) : 0;
  return number >= 1 && number <= COUNT_MAX ? number : undefined;
}
