// What a table is told about its columns.

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
}

export interface Sort {
  by: string;
  down: boolean;
}
