// Answers of a small show, for tests.

import type {
  AuditItem,
  ConflictView,
  Device,
  EntryRow,
  GroupRow,
  HistoryItem,
  Network,
  OpenCode,
  Overview,
  QueueItem,
} from "../data/desk-api.ts";
import type { ShowText } from "../text/format.ts";

export const NOW = Date.parse("2026-08-14T15:45:00.000Z");

export const show: ShowText = { unit: "lb", timezone: "America/Chicago", now: NOW, names: {} };

export function overview(change: Partial<Overview> = {}): Overview {
  return {
    show: { name: "Cedar County Fair", weight_unit: "lb", timezone: "America/Chicago", venue: "Show barn" },
    exhibitors: 120,
    animals: 214,
    entries: 230,
    classes: 30,
    rings: 2,
    checked_in: 182,
    weighed: 97,
    entries_today: 214,
    needs_checking: 1,
    needs_attention: 0,
    waiting_on_phones: 0,
    clock: 900,
    person: { id: "p-dan", name: "Dan" },
    activity: [],
    now_and_next: [],
    first_class_at: undefined,
    unsent_phones: 0,
    oldest_unsent_at: undefined,
    phones_connected: 0,
    phones_away: 0,
    first_run: false,
    version: "0.1.0",
    database: "SQLite",
    data_dir: "/shows/cedar",
    ...change,
  };
}

/** Maria weighed 621 on her phone while it was away; Dan had typed 612. Nothing is decided. */
export function conflict(change: Partial<ConflictView> = {}): ConflictView {
  return {
    id: "c-1042",
    kind: "update_update",
    status: "open",
    rev: 1,
    table_name: "animals",
    record_id: "a-1042",
    op_ids: ["o-1"],
    subject: { tag: "1042", breed: "Angus", sex: "steer", exhibitor: "Emma Lindqvist", club_chapter: "Oak Hill 4-H" },
    base_data: { tag: "1042", init_weight_x10: 5980, pen: "C-09", note: null },
    server_data: { tag: "1042", init_weight_x10: 6120, pen: "C-09", note: null },
    client_data: { tag: "1042", init_weight_x10: 6210, pen: "C-09", note: "Wet coat" },
    server_version: 7,
    contested: ["init_weight_x10"],
    clean: ["note"],
    device: { id: "d-maria", name: "Maria’s phone" },
    author: { id: "p-maria", name: "Maria" },
    server_author: { id: "p-dan", name: "Dan", device: "Desk", device_kind: "desk", at: "2026-08-14T14:14:00.000Z" },
    opened_at: "2026-08-14T14:41:00.000Z",
    timeline: [
      { what: "base", at: "2026-08-14T14:02:00.000Z", values: { init_weight_x10: 5980 } },
      { what: "server", at: "2026-08-14T14:14:00.000Z", who: "Dan", values: { init_weight_x10: 6120 } },
      {
        what: "client",
        at: "2026-08-14T14:16:00.000Z",
        who: "Maria",
        values: { init_weight_x10: 6210 },
        skew_ms: -4000,
      },
      { what: "arrived", at: "2026-08-14T14:41:00.000Z", values: {} },
    ],
    decisions: [],
    disagreement: null,
    records: undefined,
    severity: "placing",
    ...change,
  };
}

/** One animal's line on two result cards. */
export function placing(entry: string, phone: number | null, laptop: number | null): GroupRow {
  const row = (place: number | null) =>
    place === null ? undefined : { class_id: "k-6", entry_id: entry, place, card_id: "card-1" };
  return {
    table_name: "placings",
    operation: "insert",
    base: undefined,
    client: row(phone),
    server: row(laptop),
    version: laptop === null ? 0 : 1,
    contested: ["place"],
    clean: [],
  };
}

/** Two people posted the card of one class, and not the same. */
export function cards(rule: string, records: ConflictView["records"]): ConflictView {
  return conflict({
    id: "c-card",
    kind: "rule",
    rule,
    table_name: "classes",
    record_id: "k-6",
    subject: { class: "Market Steer" },
    contested: ["card_state"],
    clean: [],
    base_data: undefined,
    client_data: { name: "Market Steer", card_state: "disputed" },
    server_data: { name: "Market Steer", card_state: "disputed" },
    records,
  });
}

export function decided(view: ConflictView, resolution: string, values: ConflictView["base_data"]): ConflictView {
  return {
    ...view,
    status: "resolved",
    rev: view.rev + 1,
    resolved_at: "2026-08-14T15:44:00.000Z",
    decisions: [
      { resolution, by: "p-dan", by_name: "Dan", at: "2026-08-14T15:44:00.000Z", reason: null, values: values ?? {} },
    ],
  };
}

export function device(change: Partial<Device> = {}): Device {
  return {
    id: "d-maria",
    name: "Maria’s phone",
    kind: "phone",
    platform: "android",
    user: { id: "p-maria", name: "Maria" },
    functions: ["scale"],
    scope: {},
    level: "field_ready",
    expires_at: "2026-08-18T05:00:00.000Z",
    permissions: { granted: [], withheld: [] },
    effective: ["weigh", "void_own_weight"],
    joined_at: "2026-08-13T12:00:00.000Z",
    connected: true,
    beats: "c".repeat(60),
    last_seen: "2026-08-14T15:44:50.000Z",
    unsent: 0,
    skew_ms: 0,
    revoked_at: null,
    ...change,
  };
}

export function entry(change: Partial<EntryRow> = {}): EntryRow {
  return {
    animal_id: "a-1042",
    version: 7,
    tag: "1042",
    official_id: "840003100001042",
    prev_tags: [],
    species: "cattle",
    sex: "steer",
    breed: "Angus",
    pen: "C-09",
    official_weight_x10: 6120,
    adg_x1000: 1618,
    arrived_at: "2026-08-14T13:31:00.000Z",
    exhibitor_id: "x-176",
    back_number: 176,
    exhibitor: "Emma Lindqvist",
    club_chapter: "Oak Hill 4-H",
    classes: ["Prospect Steer"],
    class_code: "6",
    disputed: false,
    stage: "weighed",
    ...change,
  };
}

export function version(
  number: number,
  snapshot: HistoryItem["snapshot"],
  change: Partial<HistoryItem> = {},
): HistoryItem {
  return {
    version: number,
    seq: number,
    snapshot,
    deleted: false,
    actor: { id: "p-ana", name: "Ana" },
    device: { id: "d-ana", name: "Ana", kind: "phone" },
    at: "2026-08-14T13:31:00.000Z",
    ...change,
  };
}

/** Ana typed another tag; her job at the show does not include that. */
export function refused(change: Partial<QueueItem> = {}): QueueItem {
  return {
    op_id: "o-9",
    status: "failed",
    verdict: "rejected",
    error: { code: "forbidden", detail: "your job at the show does not include this" },
    op: {
      device_seq: 4,
      table_name: "animals",
      record_id: "a-7008",
      operation: "update",
      base_version: 2,
      data: { tag: "G-771" },
      base: { tag: "7008" },
      client_time: "2026-08-14T15:20:00.000Z",
    },
    device: { id: "d-ana", name: "Ana" },
    author: { id: "p-ana", name: "Ana" },
    received_at: "2026-08-14T15:21:00.000Z",
    age_ms: 1_440_000,
    attempts: 1,
    skew_ms: 0,
    subject: { tag: "7008", breed: "Boer", sex: "wether", exhibitor: "Cole Abernathy" },
    late: false,
    waiting_for: null,
    decision: null,
    ...change,
  };
}

/** Dan let Maria's phone in. */
export function deed(change: Partial<AuditItem> = {}): AuditItem {
  return {
    id: 41,
    at: "2026-08-14T12:52:00.000Z",
    action: "device_allowed",
    actor: { id: "p-dan", name: "Dan" },
    device: { id: "d-desk", name: "Desk" },
    record_id: "d-maria",
    before: null,
    after: { name: "Maria’s phone", functions: ["scale"], check_number: "7730" },
    subject: null,
    subject_text: "Maria’s phone",
    ...change,
  };
}

export function openCode(change: Partial<OpenCode> = {}): OpenCode {
  return {
    pairing_id: "code-1",
    mode: "open",
    functions: ["gate"],
    scope: {},
    opened_at: "2026-08-14T15:00:00.000Z",
    code_expires_at: "2026-08-14T17:00:00.000Z",
    device_expires_at: null,
    joined: 3,
    typed_code_expires_at: null,
    typed_code_dead: false,
    ...change,
  };
}

export function network(change: Partial<Network> = {}): Network {
  return {
    level: "https",
    http: ["http://192.168.1.20:7420"],
    https: ["https://192.168.1.20:7443", "https://showdesk-cedar.local:7443"],
    name: "showdesk-cedar.local",
    mdns: true,
    fingerprint: "AB12 CD34 EF56 7890 AB12 CD34 EF56 7890 AB12 CD34 EF56 7890 AB12 CD34 EF56 7890",
    ca_expires_at: "2036-08-14T00:00:00.000Z",
    leaf_expires_at: "2027-09-14T00:00:00.000Z",
    leaf_names: ["192.168.1.20", "showdesk-cedar.local"],
    secrets: { kept_in: "keychain", warning: null },
    warnings: [],
    ...change,
  };
}
