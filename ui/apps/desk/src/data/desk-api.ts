// What the desk asks of the server, and what it gets. The one implementation is in `http-api.ts`; tests have their own.
//
// The shapes come from the server's OpenAPI document; where that says "any JSON", it is named more closely here.

import type { components } from "@showdesk/api";

import type { Json } from "../text/json.ts";

type Schemas = components["schemas"];
type Refine<Base, Members> = Omit<Base, keyof Members> & Members;

/** A record, or part of one: its columns by name. */
export type Row = { [column: string]: Json };

export type Person = Schemas["PersonRef"];
export type Device = Pick<
  Schemas["DeviceView"],
  "id" | "name" | "kind" | "platform" | "user" | "functions" | "last_seen" | "unsent" | "skew_ms" | "revoked_at"
>;
export type WaitingPairing = Schemas["WaitingPairing"];
/** What a person does at the show. */
export type FunctionName = Schemas["Function"];
export type PairingMode = Schemas["PairingMode"];
export type JoinCode = Schemas["JoinCode"];
export type Resolution = Schemas["Resolution"];
export type EntryRow = Schemas["EntryRow"];
export type EntryPage = Schemas["EntryPage"];
export type ImportIssue = Schemas["ImportIssue"];

/** Something a person did, for the overview. */
export interface Activity {
  at: string;
  who: string | undefined;
  device: Json;
  table_name: string;
  record_id: string;
  what: Json;
  subject: Json;
}

export type Overview = Refine<Schemas["Overview"], { show: Row; person: Person; activity: Activity[] }>;

export type TimelinePoint = Refine<Schemas["TimelinePoint"], { values: Row }>;

/** One row of a group of changes that is decided as one. */
export type GroupRow = Refine<
  Schemas["GroupRecord"],
  { base: Row | undefined; server: Row | undefined; client: Row | undefined }
>;

export type ConflictView = Refine<
  Schemas["ConflictView"],
  {
    subject: Json;
    /** The rows of a group by their ids; undefined for a single change. */
    records: Readonly<Record<string, GroupRow>> | undefined;
    /** Whole rows as far as known; undefined where there was none. */
    base_data: Row | undefined;
    server_data: Row | undefined;
    client_data: Row | undefined;
    device: Json;
    author: Json;
    server_author: Json;
    timeline: TimelinePoint[];
    decisions: Json[];
    disagreement: Json;
  }
>;

export interface ConflictPage {
  items: ConflictView[];
  cursor: string | undefined;
}

export type Resolve = Refine<Schemas["Resolve"], { data?: Row }>;

export type HistoryItem = Refine<Schemas["HistoryItem"], { snapshot: Row; actor: Json; device: Json }>;

export interface ImportRow {
  row: number;
  state: string;
  /** Cells by the column as it was understood. */
  data: Row;
  /** `[old, new]` by field. */
  changes: Row;
}

export type ImportPreview = Refine<Schemas["ImportPreview"], { rows: ImportRow[] }>;
export type ImportResult = Refine<Schemas["ImportResult"], { written: Row }>;

/** Something changed at the desk; it carries no data, so whoever hears it asks again. */
export type Wake = "poke" | "conflict" | "pairings";

export interface DeskApi {
  overview(): Promise<Overview>;
  devices(): Promise<Device[]>;
  /** Where phones reach the desk, best first. */
  addresses(): Promise<string[]>;
  waitingPairings(): Promise<WaitingPairing[]>;
  openPairing(functions: FunctionName[], mode: PairingMode): Promise<JoinCode>;
  wifiQr(ssid: string, password: string): Promise<string>;
  approve(pairingId: string): Promise<void>;
  refuse(pairingId: string): Promise<void>;
  conflicts(status: string | undefined, cursor: string | undefined): Promise<ConflictPage>;
  conflict(id: string): Promise<ConflictView>;
  resolve(id: string, request: Resolve): Promise<ConflictView>;
  undo(id: string): Promise<ConflictView>;
  entries(query: string, offset: number, limit: number): Promise<EntryPage>;
  history(table: string, id: string): Promise<HistoryItem[]>;
  previewImport(file: Blob): Promise<ImportPreview>;
  confirmImport(importId: string): Promise<ImportResult>;
  undoImport(importId: string): Promise<ImportResult>;
  /** Calls back for each wake-up until the signal aborts or the stream ends. */
  live(onOpen: () => void, onWake: (wake: Wake) => void, signal: AbortSignal): Promise<void>;
}
