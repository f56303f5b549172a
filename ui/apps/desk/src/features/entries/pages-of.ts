// Which pages of a long list are needed for the rows in sight. Pure.

import type { Span } from "@showdesk/components";

/** The pages that hold these rows. */
export function pagesOf(span: Span, pageRows: number): number[] {
  if (span.end <= span.first) return [];
  const from = Math.floor(span.first / pageRows);
  const to = Math.floor((span.end - 1) / pageRows);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
