// What the desk asks of the server, and what it gets. The one implementation is in `http-api.ts`; tests have their own.
//
// The shapes come from the server's OpenAPI document; where that says "any JSON", it is named more closely here.

import type { components } from "@showdesk/api";

import type { Json } from "../text/json.ts";
import type { HealthCalls } from "./health-types.ts";
import type { MessageCalls } from "./message-types.ts";
import type { NetworkCalls } from "./network-types.ts";
import type { PeopleCalls } from "./people-types.ts";

export type * from "./health-types.ts";
export type * from "./message-types.ts";
export type * from "./network-types.ts";
export type * from "./people-types.ts";

type Schemas = components["schemas"];
type Refine<Base, Members> = Omit<Base, keyof Members> & Members;

/** A record, or part of one: its columns by name. */
export type Row = { [column: string]: Json };

export type Person = Schemas["PersonRef"];
/** What this program is and where it answers. */
export type About = Schemas["Ping"];
/** How large a made-up show is. */
export type DemoSize = "small" | "county";
export type Resolution = Schemas["Resolution"];
export type EntryRow = Schemas["EntryRow"];
export type EntryPage = Schemas["EntryPage"];

/** Which entries are listed, and in which order. */
export interface EntryFilter {
  stage?: string | undefined;
  species?: string | undefined;
  /** Ids: the animals of one exhibitor, or in one class. */
  exhibitor?: string | undefined;
  class?: string | undefined;
  sort?: { by: string; down: boolean } | undefined;
  /** Without the lists' numbers: the page's rows alone. */
  rowsOnly?: boolean;
}
export type ImportIssue = Schemas["ImportIssue"];

/** Something a person did. */
export interface Activity {
  /** Its place in the show's feed. */
  seq: number;
  at: string;
  who: string | undefined;
  device: Json;
  table_name: string;
  record_id: string;
  /** added, changed, deleted. */
  what: string;
  /** The fields that are other than before. */
  fields: readonly string[];
  subject: Json;
}

export interface ActivityPage {
  items: Activity[];
  /** What to ask for to go on; undefined at the end. */
  next: number | undefined;
}

/** A class in a ring, or the one that comes next there. */
export interface RingClass {
  class_id: string;
  code: string | undefined;
  name: string;
  /** Since when it is in the ring, or when it is planned. */
  at: string | undefined;
}

export interface RingNow {
  id: string;
  name: string;
  /** open, closed, break, hold. */
  status: string;
  now: RingClass | undefined;
  next: RingClass | undefined;
}

export type Overview = Refine<
  Schemas["Overview"],
  {
    show: Row;
    person: Person;
    activity: Activity[];
    now_and_next: RingNow[];
    /** When the first class is planned that an open clash touches. */
    first_class_at: string | undefined;
    oldest_unsent_at: string | undefined;
  }
>;

export type EntryInClass = Schemas["EntryInClass"];
export type WeighIn = Schemas["Weighing"];
/** A clash about an animal or what belongs to it. */
export type OpenClash = Refine<Schemas["OpenClash"], { client_data: Row | undefined; server_data: Row | undefined }>;
/** Everything about one animal at this show. */
export type EntryRecord = Refine<Schemas["EntryRecord"], { clashes: OpenClash[] }>;

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
    severity: Severity;
  }
>;

/** What a clash holds up, the most urgent first: results of today, a placing or money, who somebody is, the rest. */
export type Severity = "results" | "placing" | "identity" | "notes";

/** The class that a clash is about. */
export type ShownClass = Schemas["TouchedClass"];
/** A time in which a phone was not heard of. */
export type Outage = Schemas["Outage"];
export type Asked = Schemas["Asked"];
/** Of two weights: where each came from. */
export type WeighIns = Schemas["TwoWeighIns"];

export interface ConflictPage {
  items: ConflictView[];
  cursor: string | undefined;
  counts: ClashCounts;
}

/** How many clashes there are by what became of them; today by the show's day. */
export type ClashCounts = Schemas["ConflictCounts"];

export type BulkResolve = Schemas["BulkResolve"];
export type BulkResult = Refine<Schemas["BulkResult"], { values: Row }>;

/** What became of each clash; `bulk_id` takes all of it back. */
export interface BulkAnswer {
  bulk_id: string | undefined;
  results: BulkResult[];
}

/** An entry of somebody that the desk has not taken: refused, or waiting for something that never came. */
export type QueueItem = Refine<
  Schemas["QueueItem"],
  {
    op: Refine<Schemas["SentOp"], { data: Row; base: Row | undefined }>;
    subject: Json;
    waiting_for: Json;
    decision: Json;
  }
>;
export type Apply = Refine<Schemas["Apply"], { data?: Row }>;

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
export type ImportChoices = Schemas["ImportChoices"];
export type ImportItem = Refine<Schemas["ImportItem"], { written: Row }>;
/** Which rows of a preview come with it. */
export interface ImportPart {
  /** new, changed, same, error, left_out, check; all if undefined. */
  state: string | undefined;
  offset: number;
  limit: number;
}
export type ImportResult = Refine<Schemas["ImportResult"], { written: Row }>;

/** A change of one row that the person at the desk makes, on the row as this page shows it. */
export interface Change {
  /** Names this one try: the same change sent again has one effect. `newId` of the sync package. */
  op_id: string;
  table: Schemas["TableName"];
  id: string;
  operation: "insert" | "update" | "delete";
  /** The row's version that the person saw; 0 for an insert. */
  base_version: number;
  data: Row;
  /** What these fields showed before. */
  base?: Row;
  /** Where a rule asks for one. */
  reason?: string;
}

/** What became of a change: it stands, it waits for a decision under Needs checking, or it was refused. */
export type Written =
  | { verdict: "saved"; version: number }
  | { verdict: "waits"; conflict_id: string | undefined }
  | { verdict: "refused"; error: Schemas["OpError"] };

/** The same of changes that stand or fall as one; their rows' versions in their order. */
export type WrittenTogether =
  Exclude<Written, { verdict: "saved" }> | { verdict: "saved"; versions: readonly number[] };

/** A row as phones pull it. */
export interface ShowRow {
  id: string;
  data: Row;
}

/** One entry of a phone's file: what it would do, or did. */
export interface RescueItem {
  op_id: string;
  table_name: string;
  operation: string;
  subject: Json;
  data: Row;
  /** By the phone's clock. */
  made_at: string | undefined;
  /** As a push would answer it; none for an entry that is left out. */
  result: Schemas["OpResult"] | undefined;
}

/** A phone's file, looked through or taken in. */
export interface RescueReport {
  device: { id: string; name: string };
  device_removed: boolean;
  author: Person;
  made_at: string | undefined;
  items: RescueItem[];
}

/** Something changed at the desk; it carries no data, so whoever hears it asks again. */
export type Wake = "poke" | "conflict" | "pairings" | "messages" | "alerts" | "errors";

export interface DeskApi extends PeopleCalls, NetworkCalls, MessageCalls, HealthCalls {
  overview(): Promise<Overview>;
  /** What people did, newest first; older than `before` where that is given. */
  activity(before: number | undefined): Promise<ActivityPage>;
  about(): Promise<About>;
  /** What the person at this desk is called. */
  setPerson(name: string): Promise<void>;
  /** Fills an empty show with invented people and animals. */
  fillDemo(size: DemoSize): Promise<void>;
  /** Where phones reach the desk, best first. */
  addresses(): Promise<string[]>;
  wifiQr(ssid: string, password: string): Promise<string>;
  conflicts(status: string | undefined, cursor: string | undefined): Promise<ConflictPage>;
  conflict(id: string): Promise<ConflictView>;
  resolve(id: string, request: Resolve): Promise<ConflictView>;
  undo(id: string): Promise<ConflictView>;
  /** Asks again about one that is decided or was joined; what is in force stays. */
  reopen(id: string): Promise<ConflictView>;
  /** Asks the entry's author at the phone. */
  ask(id: string, text: string): Promise<ConflictView>;
  /** What each would become; nothing is written. */
  previewBulk(request: BulkResolve): Promise<BulkAnswer>;
  resolveBulk(request: BulkResolve): Promise<BulkAnswer>;
  undoBulk(id: string): Promise<BulkAnswer>;
  /** Entries that were not accepted and that nobody has dealt with, or those of a status; newest first. */
  queue(status: string | undefined): Promise<QueueItem[]>;
  retryOp(id: string): Promise<QueueItem>;
  /** Saves the entry for its author. */
  applyOp(id: string, request: Apply): Promise<QueueItem>;
  dropOp(id: string, reason: string): Promise<QueueItem>;
  entries(query: string, offset: number, limit: number, filter?: EntryFilter): Promise<EntryPage>;
  /** One animal with all that belongs to it. */
  entry(animalId: string): Promise<EntryRecord>;
  history(table: string, id: string): Promise<HistoryItem[]>;
  /** Changes a row as this desk; every write of a person here takes this way. */
  write(change: Change): Promise<Written>;
  /** The same with several, all or none of them; `group` names them, also when they are sent again. */
  writeTogether(changes: readonly Change[], group: string): Promise<WrittenTogether>;
  /** All rows of a table: for what is chosen from the whole of it. */
  rowsOf(table: "classes" | "exhibitors"): Promise<ShowRow[]>;
  previewImport(file: Blob, name: string, limit: number): Promise<ImportPreview>;
  importRows(importId: string, part: ImportPart): Promise<ImportPreview>;
  /** Matches columns, puts cells right, leaves rows out; each time the whole of the choices. */
  chooseForImport(importId: string, choices: ImportChoices, part: ImportPart): Promise<ImportPreview>;
  /** Files that were imported before, newest first. */
  imports(): Promise<ImportItem[]>;
  confirmImport(importId: string): Promise<ImportResult>;
  undoImport(importId: string): Promise<ImportResult>;
  /** What a phone's file would do; writes nothing. */
  previewRescue(copy: unknown): Promise<RescueReport>;
  /** Takes a phone's file in, but for the entries left out. */
  takeInRescue(copy: unknown, leaveOut: string[]): Promise<RescueReport>;
  /** Calls back for each wake-up until the signal aborts or the stream ends. */
  live(onOpen: () => void, onWake: (wake: Wake) => void, signal: AbortSignal): Promise<void>;
}
