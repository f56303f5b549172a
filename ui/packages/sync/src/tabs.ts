// Tells the other tabs of this phone that something in the store has changed.

import type { RowKey } from "./settle.ts";
import type { SyncStatus } from "./status.ts";

/** What a tab tells. */
export interface TabNews {
  /** Rows that look different now. */
  readonly rows: readonly RowKey[] | "all";
  /** An entry was added: whoever leads should send it. */
  readonly wantsSync: boolean;
  /** Messages of the desk look different now. */
  readonly notices?: boolean;
  /** How the desk is reached, told by the tab that leads. */
  readonly status?: Pick<SyncStatus, "access" | "link" | "away" | "nextTryMs">;
  /** Asks whether a tab leads that still lives. */
  readonly asksLeader?: boolean;
  /** The answer to it. */
  readonly leads?: boolean;
}

/** The way between tabs. */
export interface Tabs {
  /** Whether other tabs can be heard at all: where not, silence means nothing. */
  readonly hears: boolean;
  tell(news: TabNews): void;
  listen(onNews: (news: TabNews) => void): void;
  close(): void;
}

/** A BroadcastChannel; where it is missing, each tab sees the others' entries with its next sync. */
export function browserTabs(name: string): Tabs {
  if (typeof BroadcastChannel === "undefined") {
    return { hears: false, tell: () => undefined, listen: () => undefined, close: () => undefined };
  }
  const channel = new BroadcastChannel(name);
  return {
    hears: true,
    tell: (news) => channel.postMessage(news),
    listen: (onNews) => {
      channel.onmessage = (event: MessageEvent<TabNews>) => onNews(event.data);
    },
    close: () => channel.close(),
  };
}
