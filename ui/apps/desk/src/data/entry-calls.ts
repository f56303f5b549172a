// What the desk asks about entries, over HTTP.

import { answer, type Api } from "@showdesk/api";

import type { DeskApi, EntryFilter } from "./desk-api.ts";
import { rowOrNone } from "./read-json.ts";

export function entryCalls(api: Api): Pick<DeskApi, "entries" | "entry"> {
  return {
    entries: async (query, offset, limit, filter) => {
      const asked = { query, offset, limit, ...entryQuery(filter) };
      return answer(await api.GET("/api/v1/admin/entries", { params: { query: asked } }));
    },
    entry: async (id) => {
      const path = { animal_id: id };
      const found = answer(await api.GET("/api/v1/admin/entries/{animal_id}", { params: { path } }));
      const clashes = found.clashes.map((clash) => ({
        ...clash,
        client_data: rowOrNone(clash.client_data),
        server_data: rowOrNone(clash.server_data),
      }));
      return { ...found, clashes };
    },
  };
}

function entryQuery(filter: EntryFilter | undefined) {
  const { stage, species, exhibitor, class: inClass, sort, rowsOnly } = filter ?? {};
  return {
    ...(stage !== undefined && { stage }),
    ...(species !== undefined && { species }),
    ...(exhibitor !== undefined && { exhibitor_id: exhibitor }),
    ...(inClass !== undefined && { class_id: inClass }),
    ...(sort !== undefined && { sort: sort.by, dir: sort.down ? "desc" : "asc" }),
    ...(rowsOnly && { counts: false }),
  };
}
