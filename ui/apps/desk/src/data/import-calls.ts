// What the desk asks about entries files, over HTTP.

import { answer, type Api, type components } from "@showdesk/api";

import { at, textAt, type Json } from "../text/json.ts";
import type { DeskApi, ImportPart, ImportPreview, ImportResult, ImportRow } from "./desk-api.ts";
import { json, row } from "./read-json.ts";

type Schemas = components["schemas"];
type ImportCalls = "previewImport" | "importRows" | "chooseForImport" | "imports" | "confirmImport" | "undoImport";

export function importCalls(api: Api): Pick<DeskApi, ImportCalls> {
  const path = (id: string) => ({ params: { path: { import_id: id } } });
  const partOf = (id: string, { state, offset, limit }: ImportPart) => ({
    params: { path: { import_id: id }, query: { offset, limit, ...(state !== undefined && { state }) } },
  });
  return {
    previewImport: async (file, name, limit) => {
      // The bytes go as they are: the server finds out how the file is encoded.
      const request = {
        params: { query: { name, limit, match: true } },
        body: "",
        bodySerializer: () => file,
        headers: { "content-type": "text/csv" },
      };
      return previewOf(answer(await api.POST("/api/v1/admin/import/entries", request)));
    },
    importRows: async (id, part) =>
      previewOf(answer(await api.GET("/api/v1/admin/import/{import_id}", partOf(id, part)))),
    chooseForImport: async (id, body, part) =>
      previewOf(answer(await api.PUT("/api/v1/admin/import/{import_id}/plan", { ...partOf(id, part), body }))),
    imports: async () => {
      const { items } = answer(await api.GET("/api/v1/admin/imports"));
      return items.map((item) => ({ ...item, written: row(item.written) }));
    },
    confirmImport: async (id) => importOf(answer(await api.POST("/api/v1/admin/import/{import_id}/confirm", path(id)))),
    undoImport: async (id) => importOf(answer(await api.POST("/api/v1/admin/import/{import_id}/undo", path(id)))),
  };
}

function previewOf(base: Schemas["ImportPreview"]): ImportPreview {
  return { ...base, rows: base.rows.map((item) => importRowOf(json(item))) };
}

function importRowOf(item: Json): ImportRow {
  return {
    row: Number(textAt(item, "row") ?? 0),
    state: textAt(item, "state") ?? "",
    data: row(at(item, "data")),
    changes: row(at(item, "changes")),
  };
}

function importOf(base: Schemas["ImportResult"]): ImportResult {
  return { ...base, written: row(base.written) };
}
