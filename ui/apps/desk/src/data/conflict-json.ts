// Clashes and refused entries as the server tells them; what the contract leaves open is looked at before it is used.

import type { components } from "@showdesk/api";

import type { BulkResult, ConflictPage, ConflictView, GroupRow, QueueItem, Severity } from "./desk-api.ts";
import { json, row, rowOrNone } from "./read-json.ts";

type Schemas = components["schemas"];

export function conflictPageOf(base: Schemas["ConflictPage"]): ConflictPage {
  return { items: base.items.map(conflictOf), cursor: base.cursor ?? undefined, counts: base.counts };
}

export function conflictOf(base: Schemas["ConflictView"]): ConflictView {
  return {
    ...base,
    subject: json(base.subject),
    base_data: rowOrNone(base.base_data),
    server_data: rowOrNone(base.server_data),
    client_data: rowOrNone(base.client_data),
    device: json(base.device),
    author: json(base.author),
    server_author: json(base.server_author),
    timeline: base.timeline.map((point) => ({ ...point, values: row(point.values) })),
    decisions: base.decisions.map(json),
    disagreement: json(base.disagreement),
    records: base.records ? groupOf(base.records) : undefined,
    severity: severityOf(base.severity),
  };
}

export function queueItemOf(base: Schemas["QueueItem"]): QueueItem {
  return {
    ...base,
    op: { ...base.op, data: row(base.op.data), base: rowOrNone(base.op.base) },
    subject: json(base.subject),
    waiting_for: json(base.waiting_for),
    decision: json(base.decision),
  };
}

export function bulkResultOf(base: Schemas["BulkResult"]): BulkResult {
  return { ...base, values: row(base.values) };
}

function groupOf(records: Readonly<Record<string, Schemas["GroupRecord"]>>): Readonly<Record<string, GroupRow>> {
  const one = ([id, base]: [string, Schemas["GroupRecord"]]): [string, GroupRow] => {
    const rows = { base: rowOrNone(base.base), server: rowOrNone(base.server), client: rowOrNone(base.client) };
    return [id, { ...base, ...rows }];
  };
  return Object.fromEntries(Object.entries(records).map(one));
}

const SEVERITIES: readonly Severity[] = ["results", "placing", "identity", "notes"];

/** A word that this page does not know holds up no result. */
function severityOf(word: string): Severity {
  return SEVERITIES.find((known) => known === word) ?? "identity";
}
