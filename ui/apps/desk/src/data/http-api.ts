// The desk's questions over HTTP. Answers are JSON: what the contract leaves open is looked at before it is used.

import { answer, createApi, readLive, type Api, type components } from "@showdesk/api";

import type { DeskApi, HistoryItem, Wake } from "./desk-api.ts";
import { conflictCalls, queueCalls } from "./conflict-calls.ts";
import { entryCalls } from "./entry-calls.ts";
import { healthCalls } from "./health-calls.ts";
import { importCalls } from "./import-calls.ts";
import { messageCalls } from "./message-calls.ts";
import { networkCalls } from "./network-calls.ts";
import { activityPageOf, overviewOf } from "./overview-json.ts";
import { peopleCalls } from "./people-calls.ts";
import { json, row } from "./read-json.ts";
import { rescueCalls } from "./rescue-calls.ts";
import { Writing } from "./writing.ts";

type Schemas = components["schemas"];

/** A large file takes the server a while to compare with the show. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Lines of the activity that come at once. */
const ACTIVITY_ITEMS = 100;

const WAKES: Readonly<Record<string, Wake>> = {
  poke: "poke",
  conflict: "conflict",
  pairings: "pairings",
  messages: "messages",
  alerts: "alerts",
  errors: "errors",
};

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
    write: (change) => writing.write(change),
    writeTogether: (changes, group) => writing.writeTogether(changes, group),
    ...reachCalls(api),
    ...peopleCalls(api, baseUrl, options),
    ...networkCalls(api),
    ...messageCalls(api),
    ...healthCalls(api, baseUrl, options),
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

function showCalls(api: Api): Pick<DeskApi, "overview" | "setPerson" | "fillDemo" | "activity" | "history"> {
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
    history: async (table, id) => {
      const path = { table_name: table, id };
      const page = answer(await api.GET("/api/v1/admin/records/{table_name}/{id}/history", { params: { path } }));
      return page.items.map(historyOf);
    },
  };
}

function reachCalls(api: Api): Pick<DeskApi, "about" | "addresses" | "wifiQr"> {
  return {
    about: async () => answer(await api.GET("/api/v1/ping")),
    addresses: async () => answer(await api.GET("/api/v1/admin/joining")).addresses,
    wifiQr: async (ssid, password) => {
      const body = password === "" ? { ssid } : { ssid, password };
      return answer(await api.POST("/api/v1/admin/wifi-qr", { body })).qr_svg;
    },
  };
}

function historyOf(base: Schemas["HistoryItem"]): HistoryItem {
  return { ...base, snapshot: row(base.snapshot), actor: json(base.actor), device: json(base.device) };
}
