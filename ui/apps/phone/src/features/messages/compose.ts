// A message that this phone sends: what the desk must have of it. Pure.

import type { LocalRow } from "@showdesk/sync";

/** How long a title and a text may be, as the desk counts. */
export const TITLE_CHARS_MAX = 80;
export const BODY_CHARS_MAX = 400;

/** What the person has chosen so far. */
export interface Writing {
  readonly title: string;
  readonly body: string;
  readonly type: string;
  readonly priority: Priority;
  readonly audience: AudienceKind;
  /** Jobs, rings or classes, by id. */
  readonly chosen: readonly string[];
  readonly lasts: Lasts;
}

export const PRIORITIES = ["normal", "high", "urgent"] as const;
export type Priority = (typeof PRIORITIES)[number];
export const AUDIENCES = ["everybody", "jobs", "ring", "class"] as const;
export type AudienceKind = (typeof AUDIENCES)[number];
export const LASTING = ["hour", "four", "always"] as const;
export type Lasts = (typeof LASTING)[number];

const HOUR_MS = 3_600_000;
const LASTS_MS: Readonly<Record<Lasts, number | null>> = { hour: HOUR_MS, four: 4 * HOUR_MS, always: null };
const FIELD_OF = { jobs: "functions", ring: "rings", class: "class_ids" } as const;

/** What is still missing; nothing if it can be sent. */
export function missing({ title, audience, chosen }: Writing): "title" | "audience" | undefined {
  if (title.trim() === "") return "title";
  return audience !== "everybody" && chosen.length === 0 ? "audience" : undefined;
}

/** The fields of the announcement. */
export function announcement(writing: Writing, nowMs: number): Record<string, unknown> {
  const { title, body, type, priority, audience, chosen, lasts } = writing;
  const lastsMs = LASTS_MS[lasts];
  return {
    type,
    title: title.trim(),
    body: body.trim() === "" ? null : body.trim(),
    priority,
    needs_ack: priority !== "normal",
    audience: audience === "everybody" ? {} : { [FIELD_OF[audience]]: [...chosen] },
    expires_at: lastsMs === null ? null : new Date(nowMs + lastsMs).toISOString(),
  };
}

/** Something that a message can be for. */
export interface Choice {
  readonly id: string;
  readonly name: string;
}

/** Rings in their order. */
export function ringsOf(rows: Iterable<LocalRow>): Choice[] {
  return [...rows]
    .map(({ id, data }) => ({ id, name: String(data["name"] ?? ""), seq: Number(data["seq"] ?? 0) }))
    .sort((a, b) => a.seq - b.seq || (a.name < b.name ? -1 : 1));
}

/** The class with this number, if there is one. */
export function classOf(rows: Iterable<LocalRow>, typed: string): Choice | undefined {
  const code = typed.trim().toLowerCase();
  if (code === "") return undefined;
  for (const { id, data } of rows) {
    const known = String(data["code"] ?? "");
    if (known.toLowerCase() === code) return { id, name: [known, data["name"]].filter(Boolean).join(" ") };
  }
  return undefined;
}
