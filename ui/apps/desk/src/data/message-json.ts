// Messages between the server's words and what the screens read: what is not there is undefined, and words are known ones.

import type { components } from "@showdesk/api";

import type {
  Audience,
  AudienceItem,
  Automatic,
  Delivery,
  MessageDetail,
  MessageItem,
  NewMessage,
  Priority,
  Providers,
  ProviderState,
  SentNow,
  Template,
  TemplateText,
} from "./message-types.ts";
import { known } from "./read-json.ts";

type Schemas = components["schemas"];

const PRIORITIES: readonly Priority[] = ["normal", "high", "urgent"];
const CHANNELS: readonly Delivery["channel"][] = ["local", "fcm", "apns", "web"];
const STATUSES: readonly Delivery["status"][] = [
  "waiting",
  "delivered",
  "seen",
  "confirmed",
  "accepted",
  "failed",
  "expired",
];

export function itemOf(from: Schemas["MessageItem"]): MessageItem {
  return {
    id: from.id,
    type: from.type,
    source: from.source === "automatic" ? "automatic" : "person",
    title: from.title,
    body: from.body ?? undefined,
    raw: from.raw ? { title: from.raw.title, body: from.raw.body ?? undefined } : undefined,
    priority: known(PRIORITIES, from.priority, "normal"),
    needs_ack: from.needs_ack,
    audience: audienceIn(from.audience),
    audience_text: from.audience_text,
    before_class: from.before_class ?? undefined,
    ends: from.ends ?? undefined,
    send_at: from.send_at ?? undefined,
    undo_until: from.undo_until ?? undefined,
    released_at: from.released_at ?? undefined,
    reason: from.reason ?? undefined,
    expires_at: from.expires_at ?? undefined,
    created_at: from.created_at,
    retracted_at: from.retracted_at ?? undefined,
    by: from.by ?? undefined,
    people: from.people,
    counts: from.counts,
  };
}

export function detailOf(from: Schemas["MessageDetail"]): MessageDetail {
  return { ...itemOf(from), deliveries: from.deliveries.map(deliveryOf) };
}

function deliveryOf(from: Schemas["DeliveryView"]): Delivery {
  return {
    id: from.id,
    person: from.person,
    device: from.device ?? undefined,
    channel: known(CHANNELS, from.channel, "local"),
    status: known(STATUSES, from.status, "waiting"),
    attempts: from.attempts,
    error_code: from.error_code ?? undefined,
    reason: from.reason ?? undefined,
    next_attempt_at: from.next_attempt_at ?? undefined,
    updated_at: from.updated_at,
  };
}

export function choiceOf(from: Schemas["AudienceChoice"]): AudienceItem {
  return { ...from, note: from.note ?? undefined, planned_at: from.planned_at ?? undefined };
}

export function sentNowOf(from: Schemas["SentMessage"]): SentNow {
  return { ...from, send_at: from.send_at ?? undefined, undo_until: from.undo_until ?? undefined };
}

export function templateOf(from: Schemas["Template"]): Template {
  return {
    ...from,
    priority: known(PRIORITIES, from.priority, "normal"),
    body: from.body ?? undefined,
    audience: from.audience ? audienceIn(from.audience) : undefined,
  };
}

export function automaticOf(from: Schemas["AutomaticView"]): Automatic {
  const items = from.items.map(({ key, on, minutes, closes }) => ({
    key,
    on,
    ...(typeof minutes === "number" && { minutes }),
    ...(closes && { closes }),
  }));
  return { items, quiet: from.quiet ?? undefined };
}

/** The answer names only what an audience has. */
function audienceIn(from: Partial<Schemas["AudienceInput"]>): Audience {
  const { everybody, ...named } = from;
  return { ...named, ...(everybody === true && { everybody }) };
}

export function audienceOut(audience: Audience): Schemas["AudienceInput"] {
  return {
    everybody: audience.everybody ?? null,
    functions: audience.functions ?? [],
    rings: audience.rings ?? [],
    departments: audience.departments ?? [],
    class_ids: audience.class_ids ?? [],
    exhibitor_ids: audience.exhibitor_ids ?? [],
  };
}

export function messageOut(message: NewMessage): Schemas["NewMessage"] {
  return { ...message, audience: audienceOut(message.audience) };
}

export function templateOut({ audience, body, ...template }: TemplateText): Schemas["TemplateInput"] {
  return {
    ...template,
    body: body ?? null,
    // Without one it is chosen each time.
    audience: audience === undefined ? null : audienceOut(audience),
  };
}

export function providersOf({ fcm, apns, web }: Schemas["ProvidersView"]): Providers {
  return {
    fcm: standingOf(fcm, { project_id: fcm.project_id }),
    apns: standingOf(apns, {
      team_id: apns.team_id,
      key_id: apns.key_id,
      topic: apns.topic,
      environment: apns.environment,
    }),
    web: standingOf(web, { subject: web.subject, public_key: web.public_key }),
  };
}

type Told = Readonly<Record<string, string | null | undefined>>;

function standingOf(from: Schemas["ProviderStanding"], told: Told): ProviderState {
  const settings = Object.entries(told).flatMap(([key, value]) => (value ? [[key, value] as const] : []));
  return {
    configured: from.configured,
    endpoint: from.endpoint ?? undefined,
    state: from.state,
    problem: from.problem ?? undefined,
    tokens: from.tokens,
    settings: Object.fromEntries(settings),
  };
}
