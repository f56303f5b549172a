// The address of the list and of a record in it, so that both can be linked to and survive going back.

import type { Route } from "../../shell/route.ts";

/** Which animals the list holds, beside what is searched. */
export const STAGE_FILTERS = ["not_arrived", "not_weighed", "being_checked", "out_of_range", "scratched"] as const;
export type StageFilter = (typeof STAGE_FILTERS)[number];

export const SORTS = ["back_number", "tag", "exhibitor", "animal", "class", "weight", "stage"] as const;
export type SortBy = (typeof SORTS)[number];

/** What the list shows and in which order. Without `sort`: by tag, or by how well a search matches. */
export interface ListView {
  query: string;
  stage: StageFilter | undefined;
  species: string | undefined;
  exhibitor: string | undefined;
  class: string | undefined;
  sort: { by: SortBy; down: boolean } | undefined;
}

export const WHOLE_LIST: ListView = {
  query: "",
  stage: undefined,
  species: undefined,
  exhibitor: undefined,
  class: undefined,
  sort: undefined,
};

/** The list, and one animal's record beside it. */
export function listAddress(view: Partial<ListView>, animal?: string): string {
  const parts = new URLSearchParams();
  const query = (view.query ?? "").trim();
  if (query !== "") parts.set("q", query);
  for (const name of ["stage", "species", "exhibitor", "class"] as const) {
    const value = view[name];
    if (value !== undefined) parts.set(name, value);
  }
  if (view.sort !== undefined) parts.set("sort", `${view.sort.down ? "-" : ""}${view.sort.by}`);
  const path = animal === undefined ? "#/entries" : `#/entries/${animal}`;
  const text = parts.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** A search, and one animal's record. */
export function entriesAddress(query: string, animal: string | undefined): string {
  return listAddress({ query }, animal);
}

/** What an address asks for. */
export function readAddress(route: Route): { view: ListView; animal: string | undefined } {
  const text = (name: string) => route.query.get(name) ?? undefined;
  const sort = text("sort") ?? "";
  const by = SORTS.find((known) => known === sort.replace(/^-/, ""));
  return {
    view: {
      query: text("q") ?? "",
      stage: STAGE_FILTERS.find((known) => known === text("stage")),
      species: text("species"),
      exhibitor: text("exhibitor"),
      class: text("class"),
      sort: by === undefined ? undefined : { by, down: sort.startsWith("-") },
    },
    animal: route.rest === "" ? text("animal") : route.rest,
  };
}

/** Whether both show the same animals in the same order. */
export function isSameView(left: ListView, right: ListView): boolean {
  return listAddress(left) === listAddress(right);
}
