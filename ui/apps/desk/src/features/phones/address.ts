// The address of the list and of one phone in it, so that both can be linked to and survive going back.

import type { Route } from "../../shell/route.ts";
import { FILTERS, type Filter } from "./list.ts";

export interface PhonesView {
  filter: Filter;
  query: string;
  /** The phone whose record stands beside the list. */
  phone: string | undefined;
}

export function phonesAddress(view: Partial<PhonesView>): string {
  const parts = new URLSearchParams();
  if (view.filter !== undefined && view.filter !== "all") parts.set("show", view.filter);
  if (view.query !== undefined && view.query.trim() !== "") parts.set("q", view.query.trim());
  const path = view.phone === undefined ? "#/phones" : `#/phones/${view.phone}`;
  const text = parts.toString();
  return text === "" ? path : `${path}?${text}`;
}

export function readPhonesAddress(route: Route): PhonesView {
  return {
    filter: FILTERS.find((known) => known === route.query.get("show")) ?? "all",
    query: route.query.get("q") ?? "",
    phone: route.rest === "" ? undefined : route.rest,
  };
}
