// What the record shows stands in the address. Days are the show's; the desk is told moments.

import type { AuditFilter } from "../../data/desk-api.ts";
import type { Route } from "../../shell/route.ts";
import { fromLocal } from "../../text/local-time.ts";

export interface AuditView {
  q: string;
  action: string;
  person: string;
  device: string;
  /** `2026-08-14`, or empty. */
  fromDay: string;
  toDay: string;
  /** The row that is open beside the list. */
  open: number | undefined;
}

const KEYS = ["q", "action", "person", "device", "fromDay", "toDay"] as const;

export const WHOLE_RECORD: AuditView = {
  q: "",
  action: "",
  person: "",
  device: "",
  fromDay: "",
  toDay: "",
  open: undefined,
};

export function auditAddress(view: Partial<AuditView>): string {
  const parts = new URLSearchParams();
  for (const key of KEYS) {
    const text = (view[key] ?? "").trim();
    if (text !== "") parts.set(key, text);
  }
  const path = view.open === undefined ? "#/audit" : `#/audit/${String(view.open)}`;
  const text = parts.toString();
  return text === "" ? path : `${path}?${text}`;
}

export function readAuditAddress({ rest, query }: Route): AuditView {
  const text = (key: (typeof KEYS)[number]) => query.get(key) ?? "";
  return {
    q: text("q"),
    action: text("action"),
    person: text("person"),
    device: text("device"),
    fromDay: text("fromDay"),
    toDay: text("toDay"),
    open: /^\d+$/.test(rest) ? Number(rest) : undefined,
  };
}

export function isNarrowed(view: AuditView): boolean {
  return KEYS.some((key) => view[key].trim() !== "");
}

const DAY_MS = 24 * 3600 * 1000;

/** The last day is meant whole. */
export function filterOf(view: AuditView, timezone: string): AuditFilter {
  const filter: AuditFilter = {};
  for (const key of ["q", "action", "person", "device"] as const) {
    if (view[key].trim() !== "") filter[key] = view[key].trim();
  }
  const from = fromLocal(`${view.fromDay}T00:00`, timezone);
  const to = fromLocal(`${dayAfter(view.toDay)}T00:00`, timezone);
  if (from !== undefined) filter.from = from;
  if (to !== undefined) filter.to = to;
  return filter;
}

function dayAfter(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? "" : new Date(at + DAY_MS).toISOString().slice(0, 10);
}
