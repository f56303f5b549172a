// What stands in the address of Messages: the tab, and the message that is open. Pure.

import type { Route } from "../../shell/route.ts";

export const TABS = ["new", "scheduled", "sent", "templates", "automatic"] as const;
export type MessagesTab = (typeof TABS)[number];

export interface MessagesView {
  tab: MessagesTab;
  /** The message that stands beside the list. */
  open: string | undefined;
}

export function readMessagesAddress(route: Pick<Route, "rest">): MessagesView {
  const [name = "", id = ""] = route.rest.split("/");
  const tab = TABS.find((known) => known === name) ?? "new";
  return { tab, open: tab === "sent" && id !== "" ? decodeURIComponent(id) : undefined };
}

export function messagesAddress(tab: MessagesTab, open?: string): string {
  if (tab === "new") return "#/messages";
  return open === undefined ? `#/messages/${tab}` : `#/messages/${tab}/${encodeURIComponent(open)}`;
}
