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

/** Digits of the official number that are shown beside the tag. */
const TAIL = 4;

/** Why a row was found although its tag does not say so: an old tag, or the official number. */
export function otherHit(
  row: { tag?: string | null; official_id?: string | null; prev_tags: readonly string[] },
  query: string,
): { kind: "oldTag" | "official"; text: string } | undefined {
  if (query === "" || cutAt(row.tag ?? "", query) !== undefined) return undefined;
  const old = row.prev_tags.find((tag) => cutAt(tag, query) !== undefined);
  if (old !== undefined) return { kind: "oldTag", text: old };
  const official = row.official_id ?? "";
  if (cutAt(official, query) === undefined) return undefined;
  return { kind: "official", text: official.slice(-Math.max(TAIL, query.length)) };
}
