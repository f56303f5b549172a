// What a search from the header found, best first: animals by any number, then exhibitors and classes.

import type { EntryPage, EntryRow } from "../../data/desk-api.ts";
import { entriesAddress } from "../../features/entries/address.ts";
import { animalText } from "../../text/conflict-words.ts";
import { frame } from "../../text/frame-words.ts";

/** Most lines of each kind. */
const ANIMALS_MAX = 7;
const EXHIBITORS_MAX = 3;
const CLASSES_MAX = 3;

export interface Hit {
  /** Unique in the list. */
  id: string;
  kind: "animal" | "exhibitor" | "class" | "all";
  /** Where Enter leads. */
  href: string;
  title: string;
  /** Why it was found, where the title does not show it. */
  reason: string;
  note: string;
}

export interface Found {
  query: string;
  total: number;
  hits: readonly Hit[];
}

/** Sorts what the desk answered by how well it matches, and finds the exhibitors and classes in it. */
export function foundIn(page: EntryPage, query: string): Found {
  const text = query.trim();
  const wanted = text.toLowerCase();
  const ranked = page.items
    .map((row, index) => ({ row, index, rank: rankOf(row, wanted) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ row }) => row);
  const animals = ranked.slice(0, ANIMALS_MAX).map((row) => animalHit(row, text, wanted));
  const whole = page.total <= page.items.length;
  const hits = [...animals, ...exhibitorHits(page.items, wanted, whole), ...classHits(page.items, wanted, whole)];
  const all: Hit = {
    id: "all",
    kind: "all",
    href: entriesAddress(text, undefined),
    title: frame.find.all(page.total),
    reason: "",
    note: "",
  };
  return { query: text, total: page.total, hits: page.total === 0 ? [] : [...hits, all] };
}

/** Lower is better: the whole tag, its end, any part of it, then the other numbers, then names. */
function rankOf(row: EntryRow, wanted: string): number {
  const tag = (row.tag ?? "").toLowerCase();
  if (tag === wanted) return 0;
  if (row.back_number === Number(wanted)) return 1;
  if (tag.endsWith(wanted)) return 2;
  if (tag.includes(wanted)) return 3;
  if (row.prev_tags.some((old) => old.toLowerCase() === wanted)) return 2;
  if (row.prev_tags.some((old) => old.toLowerCase().includes(wanted))) return 4;
  if ((row.official_id ?? "").endsWith(wanted)) return 5;
  if ((row.official_id ?? "").includes(wanted)) return 6;
  return 7;
}

function animalHit(row: EntryRow, query: string, wanted: string): Hit {
  return {
    id: `animal-${row.animal_id}`,
    kind: "animal",
    href: entriesAddress(query, row.animal_id),
    title: row.tag ? `#${row.tag}` : frame.find.noTag,
    reason: reasonOf(row, wanted),
    note: [animalText(row.breed, row.sex, row.species), row.exhibitor].filter(Boolean).join(" · "),
  };
}

/** Digits of the official number that tell which one it is. */
const TAIL = 4;

function reasonOf(row: EntryRow, wanted: string): string {
  if ((row.tag ?? "").toLowerCase().includes(wanted)) return "";
  const old = row.prev_tags.find((tag) => tag.toLowerCase().includes(wanted));
  if (old !== undefined) return frame.find.wasTag(old);
  const official = row.official_id ?? "";
  if (official.includes(wanted)) return frame.find.officialEnd(official.slice(-Math.max(TAIL, wanted.length)));
  return numberText(row.back_number ?? undefined, wanted);
}

/** The exhibitor's number, if it begins with what was typed. */
function numberText(number: number | undefined, wanted: string): string {
  return number !== undefined && String(number).startsWith(wanted) ? frame.find.exhibitor(number) : "";
}

function exhibitorHits(rows: readonly EntryRow[], wanted: string, whole: boolean): Hit[] {
  const isWanted = (row: EntryRow) =>
    row.exhibitor.toLowerCase().includes(wanted) || String(row.back_number ?? "").startsWith(wanted);
  return counted(rows.filter(isWanted), (row) => row.exhibitor_id)
    .sort((a, b) => Number(b.row.back_number === Number(wanted)) - Number(a.row.back_number === Number(wanted)))
    .slice(0, EXHIBITORS_MAX)
    .map(({ row, count }) => ({
      id: `exhibitor-${row.exhibitor_id}`,
      kind: "exhibitor",
      href: entriesAddress(row.exhibitor, undefined),
      title: row.exhibitor,
      reason: numberText(row.back_number ?? undefined, ""),
      note: [row.club_chapter, animalsText(count, whole)].filter(Boolean).join(" · "),
    }));
}

function classHits(rows: readonly EntryRow[], wanted: string, whole: boolean): Hit[] {
  const names = rows.flatMap((row) => row.classes.filter((name) => name.toLowerCase().includes(wanted)));
  return counted(names, (name) => name)
    .slice(0, CLASSES_MAX)
    .map(({ row: name, count }) => ({
      id: `class-${name}`,
      kind: "class",
      href: entriesAddress(name, undefined),
      title: name,
      reason: "",
      note: animalsText(count, whole),
    }));
}

/** The desk answers a page only: a count taken from a part would be short, and is not told. */
function animalsText(count: number, whole: boolean): string {
  return whole ? frame.find.animalsOf(count) : "";
}

/** The first of each key in the order they came, with how often it came. */
function counted<T>(items: readonly T[], key: (item: T) => string): { row: T; count: number }[] {
  const seen = new Map<string, { row: T; count: number }>();
  for (const row of items) {
    const known = seen.get(key(row));
    if (known === undefined) seen.set(key(row), { row, count: 1 });
    else known.count += 1;
  }
  return [...seen.values()];
}
