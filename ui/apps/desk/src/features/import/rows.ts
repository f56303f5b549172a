// The rows of a preview, sorted out for the page.

import type { ImportIssue, ImportPreview, ImportRow } from "../../data/desk-api.ts";

export type RowFilter = "all" | "new" | "changed" | "same" | "fix" | "check";

/** Rows with an error stay out; rows with a warning come in and are worth a look. */
export function rowGroups(preview: ImportPreview): Readonly<Record<RowFilter, readonly ImportRow[]>> {
  const warned = new Set(preview.errors.filter((issue) => issue.severity === "warning").map((issue) => issue.row));
  const of = (state: string) => preview.rows.filter((row) => row.state === state);
  return {
    all: preview.rows,
    new: of("new"),
    changed: of("changed"),
    same: of("same"),
    fix: of("error"),
    check: preview.rows.filter((row) => row.state !== "error" && warned.has(row.row)),
  };
}

/** What is said about each row, by its file line. */
export function issuesByRow(issues: readonly ImportIssue[]): ReadonlyMap<number, readonly ImportIssue[]> {
  const byRow = new Map<number, ImportIssue[]>();
  for (const issue of issues) byRow.set(issue.row, [...(byRow.get(issue.row) ?? []), issue]);
  return byRow;
}
