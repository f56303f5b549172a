// Where a search hit a number: what is marked in the list.

/** A text cut at the hit. */
export interface Cut {
  before: string;
  hit: string;
  after: string;
}

/** The first place where the text holds the query, in any case; undefined if it does not. */
export function cutAt(text: string, query: string): Cut | undefined {
  if (query === "") return undefined;
  const at = text.toLowerCase().indexOf(query.toLowerCase());
  if (at < 0) return undefined;
  return { before: text.slice(0, at), hit: text.slice(at, at + query.length), after: text.slice(at + query.length) };
}

/** An official number is shown from its hit on if not much comes behind, and never fewer digits than this. */
const TAIL_DIGITS = 2;
const DIGITS_MIN = 4;

/** Why a row was found although its tag does not say so: an old tag, or the official number. */
export function otherHit(
  row: { tag?: string | null; official_id?: string | null; prev_tags: readonly string[] },
  query: string,
): { kind: "oldTag" | "official"; text: string } | undefined {
  if (query === "" || cutAt(row.tag ?? "", query) !== undefined) return undefined;
  const old = row.prev_tags.find((tag) => cutAt(tag, query) !== undefined);
  if (old !== undefined) return { kind: "oldTag", text: old };
  const official = aroundHit(row.official_id ?? "", query);
  return official === undefined ? undefined : { kind: "official", text: official };
}

/** The last place of the hit with a little around it: `840…6104`, `840…0421…`; undefined if there is none. */
function aroundHit(official: string, query: string): string | undefined {
  const at = official.toLowerCase().lastIndexOf(query.toLowerCase());
  if (at < 0) return undefined;
  const end = at + query.length;
  const to = end + TAIL_DIGITS >= official.length ? official.length : end;
  const first = Math.min(at, to - DIGITS_MIN);
  const from = first <= COUNTRY_DIGITS ? 0 : first;
  const head = from === 0 ? "" : `${official.slice(0, COUNTRY_DIGITS)}…`;
  return `${head}${official.slice(from, to)}${to < official.length ? "…" : ""}`;
}

/** `840` is the country: it says what kind of number follows. */
const COUNTRY_DIGITS = 3;
