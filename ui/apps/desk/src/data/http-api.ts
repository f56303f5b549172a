// The desk's questions over HTTP. Answers are JSON: what the contract leaves open is looked at before it is used.

import { answer, createApi, readLive, type Api, type components } from "@showdesk/api";

import type { DeskApi, HistoryItem, Wake } from "./desk-api.ts";
import { conflictCalls, queueCalls } from "./conflict-calls.ts";
import { entryCalls } from "./entry-calls.ts";
import { importCalls } from "./import-calls.ts";
import { activityPageOf, overviewOf } from "./overview-json.ts";
import { json, row } from "./read-json.ts";
import { rescueCalls } from "./rescue-calls.ts";
import { Writing } from "./writing.ts";

type Schemas = components["schemas"];

/** A large file takes the server a while to compare with the show. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Lines of the activity that come at once. */
const ACTIVITY_ITEMS = 100;

const WAKES: Readonly<Record<string, Wake>> = { poke: "poke", conflict: "conflict", pairings: "pairings" };

/** Exchanges the code of a printed link for the token. */
export async function openSession(baseUrl: string, code: string): Promise<string> {
  return answer(await createApi(baseUrl).POST("/api/v1/admin/session", { body: { code } })).token;
}

/** The desk at `baseUrl`, with the admin token. */
export function createDeskApi(baseUrl: string, token: string): DeskApi {
  const options = { token: () => token, timeoutMs: ANSWER_TIMEOUT_MS };
  const api = createApi(baseUrl, options);
  const writing = new Writing(api);
  return {
    ...showCalls(api),
    ...entryCalls(api),
    about: async () => answer(await api.GET("/api/v1/ping")),
    write: (change) => writing.write(change),
    ...joiningCalls(api),
    ...conflictCalls(api),
    ...queueCalls(api),
    ...importCalls(api),
    ...rescueCalls(api),
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

function showCalls(
  api: Api,
): Pick<DeskApi, "overview" | "setPerson" | "fillDemo" | "activity" | "devices" | "history"> {
  return {
    overview: async () => overviewOf(answer(await api.GET("/api/v1/admin/overview"))),
    setPerson: async (name) => {
      await api.PUT("/api/v1/admin/person", { body: { name } });
    },
    fillDemo: async (size) => {
      await api.POST("/api/v1/admin/demo", { body: { size } });
    },
    activity: async (before) => {
      const query = { limit: ACTIVITY_ITEMS, ...(before !== undefined && { before }) };
      return activityPageOf(answer(await api.GET("/api/v1/admin/activity", { params: { query } })));
    },
    devices: async () => answer(await api.GET("/api/v1/admin/devices")).items,
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

function historyOf(base: Schemas["HistoryItem"]): HistoryItem {
  return { ...base, snapshot: row(base.snapshot), actor: json(base.actor), device: json(base.device) };
}
