// What stands in the address of Charts & health: the range, and what is open beside the charts. Pure.

import type { ChartRange, ChartView } from "../../data/desk-api.ts";
import type { Route } from "../../shell/route.ts";

export const RANGES: readonly ChartRange[] = ["1h", "today", "show"];

/** What stands beside the charts. */
export type Beside =
  | { is: "problem"; id: string }
  | { is: "rule"; id: string }
  | { is: "around"; from: string; to: string; task: string | undefined };

export interface HealthView extends ChartView {
  open: Beside | undefined;
}

export function readHealthAddress({ rest, query }: Pick<Route, "rest" | "query">): HealthView {
  const range = RANGES.find((known) => known === query.get("range")) ?? "today";
  return { range, compare: range !== "show" && query.has("compare"), open: besideOf(rest, query) };
}

function besideOf(rest: string, query: URLSearchParams): Beside | undefined {
  const [kind = "", first = "", second = ""] = rest.split("/").map(decoded);
  if ((kind === "problem" || kind === "rule") && first !== "") return { is: kind, id: first };
  if (kind !== "around" || !isMoment(first) || !isMoment(second)) return undefined;
  return { is: "around", from: first, to: second, task: query.get("task") ?? undefined };
}

/** A part of an address that somebody typed may be no text at all. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

function isMoment(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

export function healthAddress({ range, compare, open }: HealthView): string {
  const query = new URLSearchParams();
  if (range !== "today") query.set("range", range);
  if (compare && range !== "show") query.set("compare", "");
  if (open?.is === "around" && open.task !== undefined) query.set("task", open.task);
  const tail = query.toString().replace(/compare=(?=&|$)/, "compare");
  return `#/health${pathOf(open)}${tail === "" ? "" : `?${tail}`}`;
}

function pathOf(open: Beside | undefined): string {
  if (open === undefined) return "";
  if (open.is === "around") return `/around/${encodeURIComponent(open.from)}/${encodeURIComponent(open.to)}`;
  return `/${open.is}/${encodeURIComponent(open.id)}`;
}

/** A rule in full, from anywhere. */
export function ruleAddress(id: string): string {
  return healthAddress({ range: "today", compare: false, open: { is: "rule", id } });
}
