// A message that stands in a list, as somebody would write it again. Pure.

import type { MessageItem, NewMessage } from "../../data/desk-api.ts";

/** With its plan: it goes out when it would have. */
export function asPlanned(item: MessageItem): NewMessage {
  const { send_at, before_class } = item;
  return {
    ...asNow(item),
    ...(before_class !== undefined ? { before_class } : send_at !== undefined && { send_at }),
  };
}

/** Without: it goes out at once. */
export function asNow(item: MessageItem): NewMessage {
  const { title, body } = item.raw ?? item;
  const { type, audience, priority, needs_ack, ends, expires_at } = item;
  return {
    type,
    title,
    ...(body !== undefined && { body }),
    priority,
    needs_ack,
    audience,
    ...(ends !== undefined ? { ends } : expires_at !== undefined && { expires_at }),
  };
}
