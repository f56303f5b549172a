// What a table is told about its columns.

import type { StackTone } from "./stack.ts";

export interface Column {
  id: string;
  label: string;
  /** Any CSS width; without one the column shares what is left. */
  width?: string;
  /** Right aligned, as numbers are read. */
  number?: boolean;
  sortable?: boolean;
  /** The heading is for screen readers only. */
  hideLabel?: boolean;
  /** The part of a bar in the same row that this column counts: the heading is its key. */
  tone?: StackTone;
}

export interface Sort {
  by: string;
  down: boolean;
}
