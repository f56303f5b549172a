import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, WrittenTogether } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { entry, overview } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import EntriesPage from "./EntriesPage.svelte";

const user = userEvent.setup();

const STEERS = "01990000-0000-7000-8000-0000000000c1";
const LISTS = {
  classes: [
    {
      id: STEERS,
      data: { code: "101", name: "Market Steer", kind: "market", department: "cattle", status: "scheduled" },
    },
  ],
  exhibitors: [{ id: "x-1", data: { first_name: "Emma", last_name: "Lindqvist", back_number: 176 } }],
};

beforeEach(() => history.replaceState(null, "", "#/entries"));

async function open(change: Partial<DeskApi> = {}, stage = "B") {
  const saved: WrittenTogether = { verdict: "saved", versions: [1, 1] };
  const writeTogether = vi.fn<DeskApi["writeTogether"]>(() => Promise.resolve(saved));
  const desk = new Desk(
    fakeApi([], {
      overview: () => Promise.resolve(overview({ show: { timezone: "America/Chicago", weight_unit: "lb", stage } })),
      entries: (_query, _offset, _limit, filter) =>
        Promise.resolve(filter?.exhibitor === undefined ? { items: [entry()], total: 1 } : { items: [], total: 0 }),
      rowsOf: (table) => Promise.resolve(LISTS[table]),
      writeTogether,
      ...change,
    }),
  );
  await desk.overview.refresh();
  render(Stage, { desk, Screen: EntriesPage });
  await user.click(await screen.findByRole("button", { name: "Add an entry" }));
  return { desk, writeTogether, dialog: screen.getByRole("dialog", { name: "Add an entry" }) };
}

const add = (dialog: HTMLElement) => user.click(within(dialog).getByRole("button", { name: "Add entry" }));

async function fill(dialog: HTMLElement) {
  await user.type(await within(dialog).findByRole("searchbox", { name: "Find an exhibitor" }), "emma");
  await user.click(within(dialog).getByRole("button", { name: "#176 Emma Lindqvist" }));
  await user.selectOptions(within(dialog).getByRole("combobox", { name: "Species" }), "cattle");
  await user.type(within(dialog).getByRole("textbox", { name: "Tag" }), "7731");
  await user.selectOptions(await within(dialog).findByRole("combobox", { name: "Class" }), STEERS);
}

test("a late entry is saved as a group, and undo takes all of it away", async () => {
  const { desk, dialog, writeTogether } = await open();
  expect(dialog).toHaveTextContent("kept as a late entry");
  await fill(dialog);
  await add(dialog);
  const changes = writeTogether.mock.calls[0]?.[0] ?? [];
  expect(changes.map(({ table }) => table)).toEqual(["animals", "entries"]);
  expect(changes[1]?.data).toMatchObject({ is_addon: true });
  expect(desk.toasts.current?.text).toBe("#7731 is entered in 101 Market Steer.");
  expect(location.hash).toBe(`#/entries/${changes[0]?.id ?? ""}`);
  desk.toasts.act();
  await vi.waitFor(() => expect(writeTogether).toHaveBeenCalledTimes(2));
  expect(writeTogether.mock.calls[1]?.[0].map(({ operation }) => operation)).toEqual(["delete", "delete"]);
  await vi.waitFor(() => expect(location.hash).toBe("#/entries"));
});

test("nothing is sent before who, what and where are said, each at its place", async () => {
  const { dialog, writeTogether } = await open();
  await within(dialog).findByRole("searchbox", { name: "Find an exhibitor" });
  await add(dialog);
  expect(within(dialog).getByText("Choose the exhibitor, or add a new one.")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "New exhibitor" }));
  expect(within(dialog).getAllByText("Type a name.")).toHaveLength(2);
  expect(within(dialog).getByText("Choose the species.")).toBeVisible();
  expect(writeTogether).not.toHaveBeenCalled();
});

test("a refusal stands beside the button, and what was typed stays", async () => {
  const refused: WrittenTogether = { verdict: "refused", error: { code: "invalid", detail: "this tag is not free" } };
  const { dialog } = await open({ writeTogether: () => Promise.resolve(refused) });
  await fill(dialog);
  await add(dialog);
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("Not saved: This tag is not free.");
  expect(within(dialog).getByRole("textbox", { name: "Tag" })).toHaveValue("7731");
});

test("official results take no entry", async () => {
  const { dialog } = await open({}, "E");
  expect(within(dialog).getByText(/results are official/i)).toBeVisible();
  expect(within(dialog).getByRole("button", { name: "Add entry" })).toBeDisabled();
});
