// The typed code as the desk reads it: Crockford's base32, where no two signs look alike.

/** Signs of a code. */
export const CODE_CHARS = 8;
/** The signs, in the order of the keys. */
export const KEYS = [..."0123456789ABCDEFGHJKMNPQRSTVWXYZ"] as const;

const MEANT: Readonly<Record<string, string>> = { I: "1", L: "1", O: "0" };

/** What was typed or pasted, as a code: in any case, with signs that look alike, with dashes and blanks. */
export function readCode(typed: string): string {
  const signs = [...typed.toUpperCase()].map((sign) => MEANT[sign] ?? sign);
  return signs
    .filter((sign) => (KEYS as readonly string[]).includes(sign))
    .slice(0, CODE_CHARS)
    .join("");
}

/** In groups of four, as the desk shows it. */
export function shownCode(code: string): string {
  return [code.slice(0, 4), code.slice(4)].filter((group) => group !== "").join(" ");
}
