// A desk that answers from memory, for tests. Each call can be replaced.

import type { ConflictView, DeskApi, Resolve } from "../data/desk-api.ts";
import { decided, overview } from "./samples.ts";

export interface FakeApi extends DeskApi {
  /** The clashes it knows. */
  items: ConflictView[];
  resolved: { id: string; request: Resolve }[];
  undone: string[];
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
  const api: FakeApi = {
    items,
    resolved: [],
    undone: [],
    overview: () =>
      Promise.resolve(overview({ needs_checking: api.items.filter((item) => item.status === "open").length })),
    devices: () => Promise.resolve([]),
    addresses: () => Promise.resolve(["http://192.168.1.20:7420"]),
    waitingPairings: () => Promise.resolve([]),
    openPairing: () => Promise.reject(new Error("not expected")),
    wifiQr: () => Promise.reject(new Error("not expected")),
    approve: () => Promise.resolve(),
    refuse: () => Promise.resolve(),
    conflicts: (status) =>
      Promise.resolve({
        items: api.items.filter((item) => status === undefined || item.status === status),
        cursor: undefined,
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
    entries: () => Promise.resolve({ items: [], total: 0 }),
    history: () => Promise.resolve([]),
    previewImport: () => Promise.reject(new Error("not expected")),
    confirmImport: () => Promise.reject(new Error("not expected")),
    undoImport: () => Promise.reject(new Error("not expected")),
    live: (_onOpen, _onWake, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    ...change,
  };
  return api;
}
