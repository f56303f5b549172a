// How phones reach the laptop, over HTTP.

import { answer, type Api } from "@showdesk/api";

import type { NetworkCalls } from "./network-types.ts";

export function networkCalls(api: Api): NetworkCalls {
  return {
    network: async () => answer(await api.GET("/api/v1/admin/network")),
    renewCertificates: async (authority) =>
      answer(await api.POST("/api/v1/admin/network/renew", { body: authority ? { authority } : {} })),
    startNetworkTest: async () => answer(await api.POST("/api/v1/admin/network/tests")),
    networkTest: async (id) => answer(await api.GET("/api/v1/admin/network/tests/{id}", { params: { path: { id } } })),
  };
}
