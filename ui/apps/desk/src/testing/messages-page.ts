// The page of messages on the stage, and what a person does with it. For tests.

import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect } from "vitest";

import { Desk } from "../data/desk.svelte.ts";
import type { AutomaticItem, DeskApi, SentNow } from "../data/desk-api.ts";
import MessagesPage from "../features/messages/MessagesPage.svelte";
import { fakeApi } from "./fake-api.ts";
import Stage from "./Stage.svelte";

export const user = userEvent.setup();

/** A message that the desk holds back for its seconds. */
export function sentNow(change: Partial<SentNow> = {}): SentNow {
  return {
    id: "m-new",
    reach: { people: 14, devices: 14, away: 2 },
    send_at: undefined,
    undo_until: new Date(Date.now() + 8_000).toISOString(),
    ...change,
  };
}

export async function openMessages(change: Partial<DeskApi> = {}, hash = "#/messages"): Promise<Desk> {
  history.replaceState(null, "", hash);
  const desk = new Desk(fakeApi([], change));
  await desk.overview.refresh();
  render(Stage, { desk, Screen: MessagesPage });
  return desk;
}

export const to = () => screen.getByRole("combobox", { name: "To" });
export const text = () => screen.getByRole("textbox", { name: "Message" });

/** By keyboard alone. */
export async function addChip(query: string): Promise<void> {
  to().focus();
  await user.keyboard(query);
  await screen.findByRole("option", { name: new RegExp(query, "i") });
  await user.keyboard("{Enter}");
  // It is added once the desk has answered what was typed.
  await waitFor(() => expect(to()).toHaveValue(""));
  await user.keyboard("{Escape}");
}

/** A desk that keeps what it is to send by itself. */
export function keptAutomatic(items: readonly AutomaticItem[]) {
  let kept: Awaited<ReturnType<DeskApi["automatic"]>> = { items: [...items], quiet: undefined };
  const calls: Pick<DeskApi, "automatic" | "setAutomatic"> = {
    automatic: () => Promise.resolve(kept),
    setAutomatic: ({ items: changed = [], quiet }) => {
      const now = kept.items.map((item) => changed.find(({ key }) => key === item.key) ?? item);
      kept = { items: now, quiet: quiet === undefined ? kept.quiet : (quiet ?? undefined) };
      return Promise.resolve(kept);
    },
  };
  return {
    calls,
    get now() {
      return { isOn: Object.fromEntries(kept.items.map(({ key, on }) => [key, on])), quiet: kept.quiet?.from };
    },
  };
}
