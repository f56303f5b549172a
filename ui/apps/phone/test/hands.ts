// What a person does with the page: opens a screen, types on the pad, reads what was saved.

import { render, screen, within } from "@testing-library/svelte";
import { userEvent } from "@testing-library/user-event";
import { beforeAll, beforeEach } from "vitest";

import App from "../src/App.svelte";
import { entryScreens, joinScreens, later } from "../src/later.ts";
import type { Phone } from "../src/phone.svelte.ts";

export const user = userEvent.setup();

/** What was just saved is on the screen, and said by the live region too. */
export const STRIP = { selector: ".undo b" };

beforeAll(async () => {
  // The browser has them by the time that somebody taps.
  await Promise.all([joinScreens(), entryScreens(), later()]);
}, 30_000);

beforeEach(() => {
  history.replaceState(null, "", "#/work");
  sessionStorage.clear();
});

/** Opens a screen. */
export function show(phone: Phone, hash: string) {
  history.replaceState(null, "", hash);
  return render(App, { phone });
}

/** The newest entry of the phone, as it is stored. */
export const lastOp = async (phone: Phone) => (await phone.store.ops.orderBy("device_seq").last()) ?? null;

export async function press(digits: string) {
  const pad = await screen.findByRole("region", { name: "Number pad" });
  for (const digit of digits) await user.click(within(pad).getByRole("button", { name: digit }));
}

export async function findByPad(digits: string) {
  await press(digits);
  await user.click(screen.getByRole("button", { name: "Find" }));
}
