// The desk's questions over HTTP. Answers are JSON: what the contract leaves open is looked at before it is used.

import { answer, createApi, readLive, type Api, type components } from "@showdesk/api";

import { at, textAt, type Json } from "../text/json.ts";
import type {
  Activity,
  ConflictView,
  DeskApi,
  GroupRow,
  HistoryItem,
  ImportPreview,
  ImportResult,
  ImportRow,
  Overview,
  Row,
  Wake,
} from "./desk-api.ts";

type Schemas = components["schemas"];

/** A large file takes the server a while to compare with the show. */
const ANSWER_TIMEOUT_MS = 60_000;

const WAKES: Readonly<Record<string, Wake>> = { poke: "poke", conflict: "conflict", pairings: "pairings" };

/** Exchanges the code of a printed link for the token. */
export async function openSession(baseUrl: string, code: string): Promise<string> {
  return answer(await createApi(baseUrl).POST("/api/v1/admin/session", { body: { code } })).token;
}

/** The desk at `baseUrl`, with the admin token. */
export function createDeskApi(baseUrl: string, token: string): DeskApi {
  const options = { token: () => token, timeoutMs: ANSWER_TIMEOUT_MS };
  const api = createApi(baseUrl, options);
  return {
    ...showCalls(api),
    ...joiningCalls(api),
    ...conflictCalls(api),
    ...importCalls(api),
    live: (onOpen, onWake, signal) =>
      readLive(baseUrl, {
        ...options,
        signal,
        onOpen,
        onEvent: (event) => {
          const wake = WAKES[event.type];
          if (wake !== undefined) onWake(wake);
        },
      }),
  };
}

function showCalls(api: Api): Pick<DeskApi, "overview" | "devices" | "entries" | "history"> {
  return {
    overview: async () => overviewOf(answer(await api.GET("/api/v1/admin/overview"))),
    devices: async () => answer(await api.GET("/api/v1/admin/devices")).items,
    entries: async (query, offset, limit) =>
      answer(await api.GET("/api/v1/admin/entries", { params: { query: { query, offset, limit } } })),
    history: async (table, id) => {
      const path = { table_name: table, id };
      const page = answer(await api.GET("/api/v1/admin/records/{table_name}/{id}/history", { params: { path } }));
      return page.items.map(historyOf);
    },
  };
}

function joiningCalls(
  api: Api,
): Pick<DeskApi, "addresses" | "waitingPairings" | "openPairing" | "wifiQr" | "approve" | "refuse"> {
  return {
    addresses: async () => answer(await api.GET("/api/v1/admin/joining")).addresses,
    waitingPairings: async () => answer(await api.GET("/api/v1/admin/pairings")).items,
    openPairing: async (functions, mode) =>
      answer(await api.POST("/api/v1/admin/pairings", { body: { functions, mode } })),
    wifiQr: async (ssid, password) => {
      const body = password === "" ? { ssid } : { ssid, password };
      return answer(await api.POST("/api/v1/admin/wifi-qr", { body })).qr_svg;
    },
    approve: async (id) => {
      await api.POST("/api/v1/admin/pairings/{id}/approve", { params: { path: { id } }, body: {} });
    },
    refuse: async (id) => {
      await api.POST("/api/v1/admin/pairings/{id}/refuse", { params: { path: { id } } });
    },
  };
}

function conflictCalls(api: Api): Pick<DeskApi, "conflicts" | "conflict" | "resolve" | "undo"> {
  const path = (id: string) => ({ params: { path: { id } } });
  return {
    conflicts: async (status, cursor) => {
      const query = { ...(status !== undefined && { status }), ...(cursor !== undefined && { cursor }) };
      const page = answer(await api.GET("/api/v1/admin/conflicts", { params: { query } }));
      return { items: page.items.map(conflictOf), cursor: page.cursor ?? undefined };
    },
    conflict: async (id) => conflictOf(answer(await api.GET("/api/v1/admin/conflicts/{id}", path(id)))),
    resolve: async (id, body) =>
      conflictOf(answer(await api.POST("/api/v1/admin/conflicts/{id}/resolve", { ...path(id), body }))),
    undo: async (id) =>
      conflictOf(answer(await api.POST("/api/v1/admin/conflicts/{id}/undo", { ...path(id), body: {} }))),
  };
}

function importCalls(api: Api): Pick<DeskApi, "previewImport" | "confirmImport" | "undoImport"> {
  const path = (id: string) => ({ params: { path: { import_id: id } } });
  return {
    previewImport: async (file) => {
      // The bytes go as they are: the server finds out how the file is encoded.
      const request = { body: "", bodySerializer: () => file, headers: { "content-type": "text/csv" } };
      return previewOf(answer(await api.POST("/api/v1/admin/import/entries", request)));
    },
    confirmImport: async (id) => importOf(answer(await api.POST("/api/v1/admin/import/{import_id}/confirm", path(id)))),
    undoImport: async (id) => importOf(answer(await api.POST("/api/v1/admin/import/{import_id}/undo", path(id)))),
  };
}

function overviewOf(base: Schemas["Overview"]): Overview {
  const person = json(base.person);
  return {
    ...base,
    show: row(base.show),
    person: { id: textAt(person, "id") ?? "", name: textAt(person, "name") ?? "" },
    activity: base.activity.map((item) => activityOf(json(item))),
  };
}

function activityOf(item: Json): Activity {
  return {
    at: textAt(item, "at") ?? "",
    who: textAt(item, "who"),
    device: at(item, "device") ?? null,
    table_name: textAt(item, "table_name") ?? "",
    record_id: textAt(item, "record_id") ?? "",
    what: at(item, "what") ?? null,
    subject: at(item, "subject") ?? null,
  };
}

function conflictOf(base: Schemas["ConflictView"]): ConflictView {
  return {
    ...base,
    subject: json(base.subject),
    base_data: rowOrNone(base.base_data),
    server_data: rowOrNone(base.server_data),
    client_data: rowOrNone(base.client_data),
    device: json(base.device),
    author: json(base.author),
    server_author: json(base.server_author),
    timeline: base.timeline.map((point) => ({ ...point, values: row(point.values) })),
    decisions: base.decisions.map(json),
    disagreement: json(base.disagreement),
    records: base.records ? groupOf(base.records) : undefined,
  };
}

function groupOf(records: Readonly<Record<string, Schemas["GroupRecord"]>>): Readonly<Record<string, GroupRow>> {
  const one = ([id, base]: [string, Schemas["GroupRecord"]]): [string, GroupRow] => {
    const rows = { base: rowOrNone(base.base), server: rowOrNone(base.server), client: rowOrNone(base.client) };
    return [id, { ...base, ...rows }];
  };
  return Object.fromEntries(Object.entries(records).map(one));
}

function historyOf(base: Schemas["HistoryItem"]): HistoryItem {
  return { ...base, snapshot: row(base.snapshot), actor: json(base.actor), device: json(base.device) };
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

/** What came out of a JSON text is JSON; the contract only does not say which. */
function json(value: unknown): Json {
  return (value ?? null) as Json;
}

function row(value: unknown): Row {
  return rowOrNone(value) ?? {};
}

function rowOrNone(value: unknown): Row | undefined {
  const found = json(value);
  return found === null || typeof found !== "object" || Array.isArray(found) ? undefined : found;
}
