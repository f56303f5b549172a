// Figures, problems, alerts and the cache over HTTP.

import { answer, readFile, type Api, type TransportOptions } from "@showdesk/api";

import {
  alertEventOf,
  alertRuleOf,
  alertSettingsOf,
  cacheOf,
  chartsOf,
  problemItemOf,
  problemOf,
  recordingOf,
  requestOf,
} from "./health-json.ts";
import type { ChartFormat, HealthCalls } from "./health-types.ts";

/** Requests and problems a page. */
const PAGE_ITEMS = 50;
/** A report draws every chart. */
const FILE_TIMEOUT_MS = 60_000;

const TYPES: Readonly<Record<ChartFormat, string>> = { svg: "image/svg+xml", png: "image/png", csv: "text/csv" };

export function healthCalls(api: Api, baseUrl: string, options: TransportOptions): HealthCalls {
  return {
    ...chartCalls(api, baseUrl, { ...options, timeoutMs: FILE_TIMEOUT_MS }),
    ...problemCalls(api),
    ...ruleCalls(api),
    ...keptCalls(api),
  };
}

type ChartCalls = Pick<HealthCalls, "charts" | "chartFile" | "report" | "requestsOf">;

function chartCalls(api: Api, baseUrl: string, options: TransportOptions): ChartCalls {
  return {
    charts: async ({ range, compare }, width) => {
      const query = { range, compare, width };
      return chartsOf(answer(await api.GET("/api/v1/admin/charts", { params: { query } })));
    },
    chartFile: (key, format, { range, compare }, theme) => {
      const query = new URLSearchParams({ range, compare: String(compare), theme }).toString();
      return readFile(`${baseUrl}/api/v1/admin/charts/${key}.${format}?${query}`, TYPES[format], options);
    },
    report: () => readFile(`${baseUrl}/api/v1/admin/report`, "text/html", options),
    requestsOf: async ({ from, to, task, only }, cursor) => {
      const query = {
        from,
        to,
        limit: PAGE_ITEMS,
        ...(task !== undefined && { task }),
        ...(only !== undefined && { only }),
        ...(cursor !== undefined && { cursor }),
      };
      const page = answer(await api.GET("/api/v1/admin/requests", { params: { query } }));
      return { items: page.items.map(requestOf), cursor: page.cursor ?? undefined };
    },
  };
}

type ProblemCalls = Pick<HealthCalls, "problems" | "problem" | "setProblem" | "tellErrors">;

function problemCalls(api: Api): ProblemCalls {
  const of = (fingerprint: string) => ({ params: { path: { fingerprint } } });
  return {
    problems: async (filter, cursor) => {
      const query = { ...filter, limit: PAGE_ITEMS, ...(cursor !== undefined && { cursor }) };
      const page = answer(await api.GET("/api/v1/admin/errors", { params: { query } }));
      return { open: page.open, items: page.items.map(problemItemOf), cursor: page.cursor ?? undefined };
    },
    problem: async (fingerprint) =>
      problemOf(answer(await api.GET("/api/v1/admin/errors/{fingerprint}", of(fingerprint)))),
    setProblem: async (fingerprint, status) => {
      await api.PUT("/api/v1/admin/errors/{fingerprint}", { ...of(fingerprint), body: { status } });
    },
    tellErrors: async (errors) => {
      // The contract says "any object", which its types read as one without members.
      const data = errors.map((error) => ({ ...error, context: error.context as Record<string, never> }));
      await api.POST("/api/v1/telemetry", { body: { type: "error", data } });
    },
  };
}

type RuleCalls = Pick<
  HealthCalls,
  "alertRules" | "setRule" | "dropRule" | "alertEvents" | "alertSettings" | "setAlertSettings" | "testWebhook"
>;

function ruleCalls(api: Api): RuleCalls {
  return {
    alertRules: async () => answer(await api.GET("/api/v1/admin/alerts/rules")).items.map(alertRuleOf),
    setRule: async (body) => {
      await api.PUT("/api/v1/admin/alerts/rules", { body });
    },
    dropRule: async (id) => {
      await api.DELETE("/api/v1/admin/alerts/rules/{id}", { params: { path: { id } } });
    },
    alertEvents: async (cursor, limit) => {
      const query = { limit, ...(cursor !== undefined && { cursor }) };
      const page = answer(await api.GET("/api/v1/admin/alerts/events", { params: { query } }));
      return { items: page.items.map(alertEventOf), cursor: page.cursor ?? undefined };
    },
    alertSettings: async () => alertSettingsOf(answer(await api.GET("/api/v1/admin/alerts/settings"))),
    setAlertSettings: async (body) => alertSettingsOf(answer(await api.PUT("/api/v1/admin/alerts/settings", { body }))),
    testWebhook: async () => answer(await api.POST("/api/v1/admin/alerts/settings/test")),
  };
}

function keptCalls(api: Api): Pick<HealthCalls, "cache" | "clearCache" | "recording"> {
  return {
    cache: async () => cacheOf(answer(await api.GET("/api/v1/admin/cache"))),
    clearCache: async (tag) => {
      const query = tag === undefined ? {} : { tag };
      return answer(await api.DELETE("/api/v1/admin/cache", { params: { query } })).removed;
    },
    recording: async () => recordingOf(answer(await api.GET("/api/v1/admin/recording"))),
  };
}
