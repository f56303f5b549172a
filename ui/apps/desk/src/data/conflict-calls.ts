// What Needs checking asks of the server over HTTP: clashes, decisions, and entries that were not accepted.

import { answer, type Api } from "@showdesk/api";

import { bulkResultOf, conflictOf, conflictPageOf, queueItemOf } from "./conflict-json.ts";
import type { BulkAnswer, BulkResolve, DeskApi } from "./desk-api.ts";

/** As many as the server gives at once. */
const PAGE = 200;

const path = (id: string) => ({ params: { path: { id } } });
const opPath = (id: string) => ({ params: { path: { op_id: id } } });

type Calls =
  "conflicts" | "conflict" | "resolve" | "undo" | "reopen" | "ask" | "previewBulk" | "resolveBulk" | "undoBulk";

export function conflictCalls(api: Api): Pick<DeskApi, Calls> {
  const bulk = async (body: BulkResolve): Promise<BulkAnswer> => {
    const done = answer(await api.POST("/api/v1/admin/conflicts/resolve-bulk", { body }));
    return { bulk_id: done.bulk_id ?? undefined, results: done.results.map(bulkResultOf) };
  };
  return {
    conflicts: async (status, cursor) => {
      const query = {
        limit: PAGE,
        ...(status === "open" && { order: "urgent" }),
        ...(status !== undefined && { status }),
        ...(cursor !== undefined && { cursor }),
      };
      return conflictPageOf(answer(await api.GET("/api/v1/admin/conflicts", { params: { query } })));
    },
    conflict: async (id) => conflictOf(answer(await api.GET("/api/v1/admin/conflicts/{id}", path(id)))),
    resolve: async (id, body) =>
      conflictOf(answer(await api.POST("/api/v1/admin/conflicts/{id}/resolve", { ...path(id), body }))),
    undo: async (id) =>
      conflictOf(answer(await api.POST("/api/v1/admin/conflicts/{id}/undo", { ...path(id), body: {} }))),
    reopen: async (id) =>
      conflictOf(answer(await api.POST("/api/v1/admin/conflicts/{id}/reopen", { ...path(id), body: {} }))),
    ask: async (id, text) =>
      conflictOf(answer(await api.POST("/api/v1/admin/conflicts/{id}/ask", { ...path(id), body: { text } }))),
    previewBulk: (body) => bulk({ ...body, dry_run: true }),
    resolveBulk: (body) => bulk({ ...body, dry_run: false }),
    undoBulk: async (id) => {
      const bulk = { params: { path: { bulk_id: id } } };
      const done = answer(await api.POST("/api/v1/admin/bulk/{bulk_id}/undo", { ...bulk, body: {} }));
      return { bulk_id: done.bulk_id, results: done.results.map(bulkResultOf) };
    },
  };
}

export function queueCalls(api: Api): Pick<DeskApi, "queue" | "retryOp" | "applyOp" | "dropOp"> {
  return {
    queue: async (status) => {
      const query = { limit: PAGE, ...(status !== undefined && { status }) };
      return answer(await api.GET("/api/v1/admin/queue", { params: { query } })).items.map(queueItemOf);
    },
    retryOp: async (id) => queueItemOf(answer(await api.POST("/api/v1/admin/queue/{op_id}/retry", opPath(id)))),
    applyOp: async (id, body) =>
      queueItemOf(answer(await api.POST("/api/v1/admin/queue/{op_id}/apply", { ...opPath(id), body }))),
    dropOp: async (id, reason) =>
      queueItemOf(answer(await api.POST("/api/v1/admin/queue/{op_id}/drop", { ...opPath(id), body: { reason } }))),
  };
}
