// People, their phones, the codes they join by, and the record of what was done, over HTTP.

import { answer, readFile, type Api, type components, type TransportOptions } from "@showdesk/api";

import type { AuditFilter, AuditItem, AuditPage, PeopleCalls } from "./people-types.ts";
import { json } from "./read-json.ts";

type Schemas = components["schemas"];

/** A show's whole record takes the desk a while to write. */
const FILE_TIMEOUT_MS = 120_000;

export function peopleCalls(api: Api, baseUrl: string, options: TransportOptions): PeopleCalls {
  return {
    ...deviceCalls(api),
    ...joiningCalls(api),
    audit: async (filter, cursor, limit) => {
      const query = { ...filter, limit, ...(cursor !== undefined && { cursor }) };
      return auditPageOf(answer(await api.GET("/api/v1/admin/audit", { params: { query } })));
    },
    auditFile: (filter) => {
      const url = `${baseUrl}/api/v1/admin/audit.csv${queryOf(filter)}`;
      return readFile(url, "text/csv", { ...options, timeoutMs: FILE_TIMEOUT_MS });
    },
  };
}

type DeviceCalls = Pick<
  PeopleCalls,
  "devices" | "permissions" | "changeDevice" | "mergeDevice" | "askForFile" | "removeDevice"
>;

function deviceCalls(api: Api): DeviceCalls {
  return {
    devices: async () => answer(await api.GET("/api/v1/admin/devices")).items,
    permissions: async () => answer(await api.GET("/api/v1/admin/permissions")).items,
    changeDevice: async (id, body) => {
      await api.PUT("/api/v1/admin/devices/{id}", { params: { path: { id } }, body });
    },
    mergeDevice: async (id, into) => {
      await api.POST("/api/v1/admin/devices/{id}/merge", { params: { path: { id } }, body: { into } });
    },
    askForFile: async (id) => {
      await api.POST("/api/v1/admin/devices/{id}/ask-file", { params: { path: { id } } });
    },
    removeDevice: async (id) => {
      await api.POST("/api/v1/admin/devices/{id}/revoke", { params: { path: { id } } });
    },
  };
}

type JoiningCalls = Pick<
  PeopleCalls,
  "waitingPairings" | "approve" | "refuse" | "openPairing" | "openCodes" | "freshTypedCode" | "closeCode"
>;

function joiningCalls(api: Api): JoiningCalls {
  return {
    waitingPairings: async () => answer(await api.GET("/api/v1/admin/pairings")).items,
    approve: async (id, body = {}) => {
      await api.POST("/api/v1/admin/pairings/{id}/approve", { params: { path: { id } }, body });
    },
    refuse: async (id) => {
      await api.POST("/api/v1/admin/pairings/{id}/refuse", { params: { path: { id } } });
    },
    openPairing: async (body) => answer(await api.POST("/api/v1/admin/pairings", { body })),
    openCodes: async () => answer(await api.GET("/api/v1/admin/pairings/open")).items,
    freshTypedCode: async (id) =>
      answer(await api.POST("/api/v1/admin/pairings/{id}/typed-code", { params: { path: { id } } })),
    closeCode: async (id) => {
      await api.POST("/api/v1/admin/pairings/{id}/close", { params: { path: { id } } });
    },
  };
}

function auditPageOf({ items, cursor }: Schemas["AuditPage"]): AuditPage {
  return { items: items.map(auditItemOf), cursor: cursor ?? undefined };
}

function auditItemOf(item: Schemas["AuditItem"]): AuditItem {
  return {
    ...item,
    before: json(item.before),
    after: json(item.after),
    subject: json(item.subject),
    subject_text: item.subject_text ?? undefined,
  };
}

function queryOf(filter: AuditFilter): string {
  const query = new URLSearchParams(Object.entries(filter)).toString();
  return query === "" ? "" : `?${query}`;
}
