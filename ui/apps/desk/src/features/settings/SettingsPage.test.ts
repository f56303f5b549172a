import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { Change, Overview, Row } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { overview } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import SettingsPage from "./SettingsPage.svelte";

const user = userEvent.setup();

beforeEach(() => {
  history.replaceState(null, "", "#/settings");
});

async function open(show: Row, change: Partial<Overview> = {}) {
  let row: Row = { ...overview().show, id: "s-1", version: 2, stage: "A", rules: {}, ...show };
  const written: Change[] = [];
  const api = fakeApi([], {
    overview: () => Promise.resolve(overview({ show: row, ...change })),
    write: (made) => {
      written.push(made);
      const rules = { ...(row["rules"] as Row), ...(made.data["rules"] as Row | undefined) };
      row = { ...row, ...made.data, rules, version: Number(row["version"]) + 1 };
      return Promise.resolve({ verdict: "saved", version: Number(row["version"]) });
    },
    about: () =>
      Promise.resolve({
        version: "0.4.0",
        name: "Cedar County Fair",
        installation_id: "i-1",
        epoch: "e",
        server_time: "",
        addresses: ["http://192.168.1.20:7420"],
        https: [],
      }),
  });
  const desk = new Desk(api);
  await desk.overview.refresh();
  render(Stage, { desk, Screen: SettingsPage });
  return { desk, written };
}

test("a typed rule is saved when its field is left, and said with its unit", async () => {
  const { written } = await open({});
  await user.type(screen.getByRole("textbox", { name: "Two weights agree within" }), "5.5");
  await user.tab();
  await waitFor(() => expect(written).toHaveLength(1));
  expect(written[0]?.data).toEqual({ rules: { weigh_tolerance_x10: 55 } });
  expect(await screen.findByText("Two weights agree within: 5.5 lb.")).toBeVisible();
});

test("what cannot be is said beside its field and not sent; Escape takes it back", async () => {
  const { written } = await open({ rules: { class_cap: 20 } });
  const field = screen.getByRole("textbox", { name: "Most animals in a class" });
  await user.clear(field);
  await user.type(field, "many{Enter}");
  expect(screen.getByRole("alert")).toHaveTextContent("Type a whole number from 1 to 500.");
  expect(field).toHaveAccessibleDescription(/whole number/);
  await user.keyboard("{Escape}");
  expect(field).toHaveValue("20");
  expect(written).toHaveLength(0);
});

test("a show does not lose its name", async () => {
  const { written } = await open({});
  await user.clear(screen.getByRole("textbox", { name: "Name" }));
  await user.tab();
  expect(screen.getByText("A show needs a name.")).toBeVisible();
  expect(written).toHaveLength(0);
});

test("a first day behind the last one takes the last one along", async () => {
  const { written } = await open({ starts_on: "2026-08-14", ends_on: "2026-08-16" });
  const field = screen.getByLabelText("First day");
  await user.clear(field);
  await user.type(field, "2026-08-20");
  await user.tab();
  await waitFor(() => expect(written).toHaveLength(1));
  expect(written[0]?.data).toEqual({ starts_on: "2026-08-20", ends_on: "2026-08-20" });
});

test("a last day before the first is refused in words", async () => {
  const { written } = await open({ starts_on: "2026-08-14", ends_on: "2026-08-16" });
  const field = screen.getByLabelText("Last day");
  await user.clear(field);
  await user.type(field, "2026-08-10");
  await user.tab();
  expect(screen.getByText("The last day is before the first.")).toBeVisible();
  expect(written).toHaveLength(0);
});

test("the weight unit is chosen during set-up and fixed with the first weight", async () => {
  await open({}, { weighed: 0 });
  expect(screen.getByRole("combobox", { name: "Weight unit" })).toHaveValue("lb");
});

test("once animals are weighed the unit is told with the reason it is fixed", async () => {
  await open({ stage: "B" }, { weighed: 97 });
  expect(screen.queryByRole("combobox", { name: "Weight unit" })).toBeNull();
  expect(screen.getByText("Fixed: 97 animals are weighed. A weight is never converted.")).toBeVisible();
});

test("going on asks first and says what closes and what still waits on phones", async () => {
  const { written } = await open({ stage: "B" }, { waiting_on_phones: 11 });
  await user.click(screen.getByRole("button", { name: "Go on to C" }));
  const dialog = screen.getByRole("dialog", { name: "Go on to C, Classes published?" });
  expect(within(dialog).getByText("takes first weights", { exact: false })).toBeVisible();
  expect(within(dialog).getByText(/11 entries still wait on phones/)).toBeVisible();
  expect(written).toHaveLength(0);
  await user.click(within(dialog).getByRole("button", { name: "Go on to C" }));
  await waitFor(() => expect(written[0]?.data).toEqual({ stage: "C" }));
  expect(await screen.findByText("The show is in stage C, Classes published.", { selector: ".grow" })).toBeVisible();
});

test("going back needs a reason", async () => {
  const { written } = await open({ stage: "C" });
  await user.click(screen.getByRole("button", { name: "Go back to B" }));
  const dialog = screen.getByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Go back to B" }));
  expect(within(dialog).getByText("Type a reason.")).toBeVisible();
  await user.type(within(dialog).getByRole("textbox"), "Late lambs{Enter}");
  await waitFor(() => expect(written[0]).toMatchObject({ data: { stage: "B" }, reason: "Late lambs" }));
});

test("an official show takes nothing but another stage", async () => {
  await open({ stage: "E" });
  expect(screen.getByText(/Go back to stage D to change them/)).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Name" })).toBeDisabled();
  expect(screen.getByRole("switch", { name: "Ties are allowed" })).toBeDisabled();
  expect(screen.getByRole("button", { name: "Go back to D" })).toBeEnabled();
});

test("About tells the version and where phones reach the desk", async () => {
  history.replaceState(null, "", "#/settings/about");
  await open({});
  expect(await screen.findByText("0.4.0")).toBeVisible();
  expect(screen.getByText("http://192.168.1.20:7420")).toBeVisible();
  expect(screen.getByText("SIL Open Font License 1.1")).toBeVisible();
});
