import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { deed } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import AuditPage from "./AuditPage.svelte";

const user = userEvent.setup();

beforeEach(() => history.replaceState(null, "", "#/audit"));

async function open() {
  const items = [deed({ id: 2, action: "device_removed" }), deed({ id: 1 })];
  const desk = new Desk(fakeApi([], { audit: () => Promise.resolve({ items, cursor: undefined }) }));
  await Promise.all([desk.overview.refresh(), desk.devices.refresh()]);
  render(Stage, { desk, Screen: AuditPage });
  return screen.findByRole("grid", { name: "What happened" });
}

const drawer = () => screen.queryByRole("region", { name: "About" });

test("a line opens by keys beside the list, and Escape closes it there too", async () => {
  const grid = await open();
  grid.focus();
  await user.keyboard("{ArrowDown}{ArrowDown}{Enter}");
  expect(screen.getByRole("heading", { name: "Dan let Maria’s phone in" })).toBeVisible();
  await user.keyboard("{ArrowUp}");
  expect(screen.getByRole("heading", { name: "Dan removed Maria’s phone" })).toBeVisible();
  await user.keyboard("{Escape}");
  expect(drawer()).toBeNull();
  expect(grid).toHaveFocus();
});

test("the list has the focus again when the open line is closed by its own button", async () => {
  const grid = await open();
  await user.click(screen.getByRole("row", { name: /let/ }));
  await user.click(screen.getByRole("button", { name: "Close" }));
  await waitFor(() => expect(drawer()).toBeNull());
  expect(grid).toHaveFocus();
});
