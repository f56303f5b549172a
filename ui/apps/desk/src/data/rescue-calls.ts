// A phone's file, looked through and taken in, over HTTP.

import { answer, type Api, type components } from "@showdesk/api";

import type { DeskApi, RescueItem, RescueReport } from "./desk-api.ts";
import { json, row } from "./read-json.ts";

type Schemas = components["schemas"];

export function rescueCalls(api: Api): Pick<DeskApi, "previewRescue" | "takeInRescue"> {
  const post = async (body: Schemas["TakeIn"]) => reportOf(answer(await api.POST("/api/v1/admin/rescue", { body })));
  return {
    previewRescue: (copy) => post({ copy, dry_run: true }),
    takeInRescue: (copy, leaveOut) => post({ copy, leave_out: leaveOut }),
  };
}

function reportOf({ device, device_removed, author, made_at, items }: Schemas["TakenIn"]): RescueReport {
  return { device, device_removed, author, made_at: made_at ?? undefined, items: items.map(itemOf) };
}

/** An entry whose id cannot be read is named by its place: the desk answers for it all the same. */
function itemOf(item: Schemas["TakenInItem"], place: number): RescueItem {
  return {
    op_id: typeof item.op_id === "string" ? item.op_id : `entry-${String(place)}`,
    table_name: item.table_name,
    operation: item.operation,
    subject: json(item.subject),
    data: row(item.data),
    made_at: item.made_at ?? undefined,
    result: item.result ?? undefined,
  };
}
