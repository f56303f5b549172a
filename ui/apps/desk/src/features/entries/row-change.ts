// A change of a row that the person at the desk makes, and its way back.

import type { Change } from "../../data/desk-api.ts";

export type RowChange = Omit<Change, "op_id">;

/** The change that takes an update back, made on the version it wrote. */
export function takenBack(change: RowChange, version: number, reason: string): RowChange {
  return { ...change, base_version: version, data: change.base ?? {}, base: change.data, reason };
}
