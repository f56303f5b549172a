// A desk that answers from memory, for tests. Each call can be replaced.

import type {
  Apply,
  BulkResolve,
  BulkResult,
  ClashCounts,
  ConflictView,
  DeskApi,
  QueueItem,
  Resolve,
} from "../data/desk-api.ts";
import { fakeHealth } from "./fake-health.ts";
import { fakeMessages } from "./fake-messages.ts";
import { decided, network, overview } from "./samples.ts";

export interface FakeApi extends DeskApi {
  /** The clashes it knows. */
  items: ConflictView[];
  resolved: { id: string; request: Resolve }[];
  undone: string[];
  asked: { id: string; text: string }[];
  bulks: BulkResolve[];
  undoneBulks: string[];
  /** The entries that were not accepted. */
  refused: QueueItem[];
  dealtWith: { id: string; how: "retry" | "apply" | "drop"; request?: Apply | string }[];
}

export function fakeApi(items: ConflictView[], change: Partial<DeskApi> = {}): FakeApi {
  const find = (id: string) => {
    const found = api.items.find((item) => item.id === id);
    if (found === undefined) throw new Error(`no conflict ${id}`);
    return found;
  };
  const put = (view: ConflictView) => {
    api.items = api.items.map((item) => (item.id === view.id ? view : item));
    return view;
  };
  const dealWith = (id: string, done: FakeApi["dealtWith"][number]) => {
    const found = api.refused.find((item) => item.op_id === id);
    if (found === undefined) throw new Error(`no entry ${id}`);
    api.dealtWith.push(done);
    api.refused = api.refused.filter((item) => item.op_id !== id);
    return { ...found, status: "completed", verdict: "applied" };
  };
  /** Whose value an entry takes when many are decided together. */
  const sideOf = (request: BulkResolve, id: string) => {
    const resolution = request.choices?.[id] ?? request.resolution;
    const { client_data, server_data } = find(id);
    return { resolution, values: (resolution === "client_wins" ? client_data : server_data) ?? {} };
  };
  const api: FakeApi = {
    items,
    resolved: [],
    undone: [],
    asked: [],
    bulks: [],
    undoneBulks: [],
    refused: [],
    dealtWith: [],
    overview: () =>
      Promise.resolve(overview({ needs_checking: api.items.filter((item) => item.status === "open").length })),
    activity: () => Promise.resolve({ items: [], next: undefined }),
    devices: () => Promise.resolve([]),
    permissions: () => Promise.resolve([]),
    changeDevice: () => Promise.resolve(),
    mergeDevice: () => Promise.resolve(),
    askForFile: () => Promise.resolve(),
    removeDevice: () => Promise.resolve(),
    openCodes: () => Promise.resolve([]),
    freshTypedCode: () => Promise.reject(new Error("not expected")),
    closeCode: () => Promise.resolve(),
    audit: () => Promise.resolve({ items: [], cursor: undefined }),
    auditFile: () => Promise.reject(new Error("not expected")),
    network: () => Promise.resolve(network()),
    renewCertificates: () => Promise.reject(new Error("not expected")),
    startNetworkTest: () => Promise.reject(new Error("not expected")),
    networkTest: () => Promise.reject(new Error("not expected")),
    setPerson: () => Promise.resolve(),
    fillDemo: () => Promise.resolve(),
    about: () => Promise.reject(new Error("not expected")),
    addresses: () => Promise.resolve(["http://192.168.1.20:7420"]),
    waitingPairings: () => Promise.resolve([]),
    openPairing: () => Promise.reject(new Error("not expected")),
    wifiQr: () => Promise.reject(new Error("not expected")),
    approve: () => Promise.resolve(),
    refuse: () => Promise.resolve(),
    conflicts: (status) =>
      Promise.resolve({
        items: api.items.filter((item) => status === undefined || isOfStatus(item, status)),
        cursor: undefined,
        counts: countsOf(api.items),
      }),
    conflict: (id) => Promise.resolve(find(id)),
    resolve: (id, request) => {
      const view = find(id);
      api.resolved.push({ id, request });
      const side = request.resolution === "client_wins" ? view.client_data : view.server_data;
      return Promise.resolve(put(decided(view, request.resolution, request.data ?? side)));
    },
    undo: (id) => {
      api.undone.push(id);
      const view = find(id);
      return Promise.resolve(put({ ...view, status: "open", rev: view.rev + 1, resolved_at: null }));
    },
    reopen: (id) => Promise.resolve(put({ ...find(id), status: "open", rev: find(id).rev + 1, resolved_at: null })),
    ask: (id, text) => {
      api.asked.push({ id, text });
      const at = "2026-08-14T15:44:00.000Z";
      return Promise.resolve(
        put({ ...find(id), asked: { id: "q-1", at, by: { id: "p-dan", name: "Dan" }, text, answer: undefined } }),
      );
    },
    previewBulk: (request) => {
      const results = (request.ids ?? []).map((id) =>
        bulkResult(find(id), sideOf(request, id).values, "would_resolve"),
      );
      return Promise.resolve({ bulk_id: undefined, results });
    },
    resolveBulk: (request) => {
      api.bulks.push(request);
      const results = (request.ids ?? []).map((id) => {
        const { resolution, values } = sideOf(request, id);
        const view = find(id);
        put({ ...decided(view, resolution, values), bulk_id: "b-1" });
        return bulkResult(view, values, "resolved");
      });
      return Promise.resolve({ bulk_id: "b-1", results });
    },
    undoBulk: (id) => {
      api.undoneBulks.push(id);
      const part = api.items.filter((item) => item.bulk_id === id);
      const results = part.map((view) => bulkResult(view, {}, "undone"));
      for (const view of part)
        put({ ...view, status: "open", rev: view.rev + 1, resolved_at: null, bulk_id: undefined });
      return Promise.resolve({ bulk_id: id, results });
    },
    queue: (status) => Promise.resolve(status === undefined ? api.refused : []),
    retryOp: (id) => Promise.resolve(dealWith(id, { id, how: "retry" })),
    applyOp: (id, request) => Promise.resolve(dealWith(id, { id, how: "apply", request })),
    dropOp: (id, request) => Promise.resolve(dealWith(id, { id, how: "drop", request })),
    entries: () => Promise.resolve({ items: [], total: 0 }),
    entry: () => Promise.reject(new Error("not expected")),
    history: () => Promise.resolve([]),
    write: () => Promise.reject(new Error("not expected")),
    writeTogether: () => Promise.reject(new Error("not expected")),
    rowsOf: () => Promise.resolve([]),
    previewImport: () => Promise.reject(new Error("not expected")),
    importRows: () => Promise.reject(new Error("not expected")),
    chooseForImport: () => Promise.reject(new Error("not expected")),
    imports: () => Promise.resolve([]),
    confirmImport: () => Promise.reject(new Error("not expected")),
    undoImport: () => Promise.reject(new Error("not expected")),
    previewRescue: () => Promise.reject(new Error("not expected")),
    takeInRescue: () => Promise.reject(new Error("not expected")),
    ...fakeMessages(),
    ...fakeHealth(),
    live: (_onOpen, _onWake, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    ...change,
  };
  return api;
}

function bulkResult(view: ConflictView, values: BulkResult["values"], outcome: string): BulkResult {
  const shown = [...view.contested, ...view.clean];
  return {
    id: view.id,
    outcome,
    server_version: view.server_version,
    rev: view.rev,
    values: Object.fromEntries(shown.map((field) => [field, values[field] ?? null])),
    writes: [],
  };
}

const DECIDED: readonly string[] = ["resolved", "superseded", "withdrawn"];

function isOfStatus(view: ConflictView, status: string): boolean {
  return status === "decided" ? DECIDED.includes(view.status) : view.status === status;
}

function countsOf(items: readonly ConflictView[]): ClashCounts {
  const count = (status: string) => items.filter((item) => isOfStatus(item, status)).length;
  const [decidedOnes, merged] = [count("decided"), count("merged_automatically")];
  return {
    open: count("open"),
    decided: decidedOnes,
    decided_today: decidedOnes,
    merged_automatically: merged,
    merged_today: merged,
  };
}
