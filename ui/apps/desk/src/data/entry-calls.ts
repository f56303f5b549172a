// What the desk asks about entries, over HTTP.

import { answer, type Api } from "@showdesk/api";

import type { DeskApi, EntryFilter, ShowRow } from "./desk-api.ts";
import { row, rowOrNone } from "./read-json.ts";

/** Rows of a page of a table, and pages at most: far more exhibitors than the largest show has. */
const [PAGE_ROWS, PAGES_MAX] = [1_000, 40];

export function entryCalls(api: Api): Pick<DeskApi, "entries" | "entry" | "rowsOf"> {
  return {
    rowsOf: (table) => rowsOf(api, table),
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

async function rowsOf(api: Api, table: string): Promise<ShowRow[]> {
  // A row that changes while the pages are read comes again, as it is then.
  const rows = new Map<string, ShowRow>();
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = { tables: table, limit: PAGE_ROWS, ...(cursor !== undefined && { cursor }) };
    const pulled = answer(await api.GET("/api/v1/sync/pull", { params: { query } }));
    for (const change of pulled.changes) {
      if (change.op === "upsert") rows.set(change.record_id, { id: change.record_id, data: row(change.data) });
      else rows.delete(change.record_id);
    }
    if (!pulled.has_more) break;
    cursor = pulled.cursor;
  }
  return [...rows.values()];
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
