// The desk's first page as the server tells it; what the contract leaves open is looked at before it is used.

import type { components } from "@showdesk/api";

import { textAt } from "../text/json.ts";
import type { Activity, ActivityPage, Overview, RingClass, RingNow } from "./desk-api.ts";
import { json, row } from "./read-json.ts";

type Schemas = components["schemas"];

export function overviewOf(base: Schemas["Overview"]): Overview {
  const person = json(base.person);
  return {
    ...base,
    show: row(base.show),
    person: { id: textAt(person, "id") ?? "", name: textAt(person, "name") ?? "" },
    activity: base.activity.map(activityOf),
    now_and_next: base.now_and_next.map(ringOf),
    first_class_at: base.first_class_at ?? undefined,
    oldest_unsent_at: base.oldest_unsent_at ?? undefined,
  };
}

export function activityPageOf(base: Schemas["ActivityPage"]): ActivityPage {
  return { items: base.items.map(activityOf), next: base.next ?? undefined };
}

function activityOf(item: Schemas["ActivityItem"]): Activity {
  return { ...item, who: item.who ?? undefined, device: json(item.device), subject: json(item.subject) };
}

function ringOf({ now, next, ...ring }: Schemas["RingNow"]): RingNow {
  return {
    ...ring,
    now: now ? classOf(now, now.since) : undefined,
    next: next ? classOf(next, next.planned_at) : undefined,
  };
}

function classOf(from: Schemas["ClassNow"] | Schemas["ClassNext"], at: string | null | undefined): RingClass {
  return { class_id: from.class_id, code: from.code ?? undefined, name: from.name, at: at ?? undefined };
}
