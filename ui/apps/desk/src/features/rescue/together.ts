// Which entries of a phone's file the desk takes only together.

import type { Rescue } from "@showdesk/sync/rescue-copy";

/** By each entry of a group: all entries of the group. */
export type Together = ReadonlyMap<string, readonly string[]>;

export function togetherIn(copy: Rescue): Together {
  const ops = copy.pushes.flatMap((push) => push.ops);
  const groups = new Map<string, string[]>();
  for (const { op_id, txn } of ops) if (txn) groups.set(txn.id, [...(groups.get(txn.id) ?? []), op_id]);
  return new Map(ops.flatMap(({ op_id, txn }) => (txn ? [[op_id, groups.get(txn.id) ?? []]] : [])));
}
