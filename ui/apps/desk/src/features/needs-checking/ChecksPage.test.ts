import { ApiProblem } from "@showdesk/api";
import { render, screen } from "@testing-library/svelte";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import { fakeApi, type FakeApi } from "../../testing/fake-api.ts";
import { cards, conflict, placing, refused } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import ChecksPage from "./ChecksPage.svelte";

const tag = conflict({
  id: "c-tag",
  contested: ["tag"],
  clean: [],
  base_data: { tag: "0412" },
  client_data: { tag: "0421" },
  server_data: { tag: "0411" },
});

let api: FakeApi;

beforeEach(() => {
  // jsdom draws nothing, so nothing scrolls.
  Element.prototype.scrollIntoView = () => undefined;
  location.hash = "#/needs-checking";
});

async function show(...items: ReturnType<typeof conflict>[]): Promise<void> {
  api = fakeApi(items);
  render(Stage, { desk: new Desk(api), Screen: ChecksPage });
  await screen.findByRole("heading", { level: 2 });
}

test("a clash is told in one sentence with what it was and both values", async () => {
  await show(tag);
  expect(screen.getByRole("heading", { level: 2 }).textContent).toBe(
    "Two people changed the tag of #1042 while Maria’s phone was away from Wi-Fi.",
  );
  const row = screen.getByRole("row", { name: /^Tag/ });
  for (const text of ["0412", "0421", "0411"]) expect(row.textContent).toContain(text);
});

test("one key chooses, Enter saves, U takes it back", async () => {
  const user = userEvent.setup();
  await show(tag);
  expect(screen.getByRole("button", { name: "Save and next" })).toHaveProperty("disabled", true);
  await user.keyboard("1");
  expect(screen.getByRole("button", { name: "Use phone’s" }).getAttribute("aria-pressed")).toBe("true");
  await user.keyboard("{Enter}");
  await screen.findByText("Nothing to check.");
  expect(api.resolved).toMatchObject([{ id: "c-tag", request: { resolution: "client_wins" } }]);
  await user.keyboard("u");
  await screen.findByRole("button", { name: "Use phone’s" });
  expect(api.undone).toEqual(["c-tag"]);
});

test("3 puts the caret into a field and Enter in it saves what was typed", async () => {
  const user = userEvent.setup();
  await show(tag);
  await user.keyboard("3");
  const field = await screen.findByRole("textbox", { name: "Tag" });
  await expect.poll(() => document.activeElement).toBe(field);
  await user.keyboard("0432{Enter}");
  await expect.poll(() => api.resolved).toMatchObject([{ request: { resolution: "manual", data: { tag: "0432" } } }]);
});

test("arrows go from field to field, and two sides make a decision of its own", async () => {
  const user = userEvent.setup();
  await show(
    conflict({
      contested: ["tag", "pen"],
      clean: [],
      client_data: { tag: "0421", pen: "B2" },
      server_data: { tag: "0411", pen: "C3" },
    }),
  );
  await user.keyboard("1{ArrowDown}2{Enter}");
  await expect
    .poll(() => api.resolved)
    .toMatchObject([{ request: { resolution: "manual", data: { tag: "0421", pen: "C3" } } }]);
});

test("J and K walk through the list", async () => {
  const user = userEvent.setup();
  await show(tag, conflict({ id: "c-z", subject: { tag: "2203" } }));
  await user.keyboard("j");
  expect(screen.getByRole("heading", { level: 2 }).textContent).toContain("#2203");
  await user.keyboard("k");
  expect(screen.getByRole("heading", { level: 2 }).textContent).toContain("#1042");
});

test("a deleted record is decided as a whole, in its own words", async () => {
  const user = userEvent.setup();
  await show(conflict({ kind: "update_deleted", server_data: undefined, contested: ["pen"], clean: [] }));
  expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("Maria changed #1042, which Dan has deleted.");
  expect(screen.queryByRole("button", { name: "Type another" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Keep deleted" }));
  await user.click(screen.getByRole("button", { name: "Save and next" }));
  expect(api.resolved).toMatchObject([{ request: { resolution: "server_wins" } }]);
});

test("a card is decided as one, and an impossible one says so in place", async () => {
  const user = userEvent.setup();
  const card = cards("C7", { a: placing("e-1", 1, 2), b: placing("e-2", 2, 1) });
  api = fakeApi([card], {
    resolve: () =>
      Promise.reject(new ApiProblem(422, "out_of_range", "two animals have the same place", "never", more)),
  });
  render(Stage, { desk: new Desk(api), Screen: ChecksPage });
  await screen.findByRole("heading", { level: 2 });
  await user.keyboard("3");
  const [first] = screen.getAllByRole("textbox", { name: /^Place of/ });
  await expect.poll(() => document.activeElement).toBe(first);
  await user.keyboard("1{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("Two animals have the same place.");
});

const more = { retryAfterMs: null, epoch: null, requestId: null, fields: { place: "taken" }, body: {} };

test("4 makes one thing of two entries", async () => {
  const user = userEvent.setup();
  await show(conflict({ ...tag, kind: "unique_violation", other_record_id: "a-2" }));
  await user.keyboard("4{Enter}");
  await expect
    .poll(() => api.resolved)
    .toMatchObject([{ request: { resolution: "manual", data: { same_as: "a-2" } } }]);
});

test("4 does nothing where two entries cannot be one", async () => {
  const user = userEvent.setup();
  await show(tag);
  await user.keyboard("4");
  expect(screen.getByRole("button", { name: "Save and next" })).toHaveProperty("disabled", true);
});

/** Two more weights of the same absence. */
function absence(): ReturnType<typeof conflict>[] {
  const outage = {
    device_id: "d-maria",
    device_name: "Maria",
    away_from: "2026-08-14T14:05:00.000Z",
    back_at: "2026-08-14T14:41:00.000Z",
  };
  const subject = (tag: string) => ({ tag, breed: "Angus", sex: "steer" });
  return ["1042", "1051", "1060"].map((tag) => conflict({ id: `c-${tag}`, subject: subject(tag), outage }));
}

test("X and Shift X tick a range, one rule decides it, and one U takes all of it back", async () => {
  const user = userEvent.setup();
  await show(...absence());
  await user.keyboard("xjj{Shift>}X{/Shift}");
  await user.click(screen.getByRole("button", { name: "Decide 3 together" }));
  const dialog = screen.getByRole("dialog", { name: "Decide 3 together" });
  for (const rule of screen.getAllByRole("radio")) expect(rule).not.toBeChecked();
  expect(screen.getByRole("button", { name: "Save 3 decisions" })).toBeDisabled();
  await user.click(screen.getByRole("radio", { name: "Use laptop’s" }));
  await expect.poll(() => dialog.textContent).toContain("One undo takes all 3 back.");
  await user.click(screen.getByRole("button", { name: "Save 3 decisions" }));
  await screen.findByText("3 entries decided.");
  expect(api.bulks).toMatchObject([{ resolution: "server_wins", ids: ["c-1042", "c-1051", "c-1060"] }]);
  await user.keyboard("u");
  await screen.findByText("3 decisions taken back.");
  expect(api.undoneBulks).toEqual(["b-1"]);
});

test("a heading ticks and hides all of its lines", async () => {
  const user = userEvent.setup();
  await show(...absence());
  await user.click(screen.getByRole("checkbox", { name: /^Select all of Maria’s phone, away/ }));
  expect(screen.getByText("3 selected")).toBeVisible();
  await user.click(screen.getByRole("button", { name: /^Maria’s phone, away/ }));
  expect(screen.queryByRole("checkbox", { name: "Select #1051" })).toBeNull();
});

test("what was skipped comes again after everything else", async () => {
  const user = userEvent.setup();
  await show(...absence());
  const title = () => screen.getByRole("heading", { level: 2 }).textContent;
  await user.keyboard("s");
  expect(title()).toContain("#1051");
  await user.keyboard("1{Enter}");
  await expect.poll(title).toContain("#1060");
  await user.keyboard("1{Enter}");
  await expect.poll(title).toContain("#1042");
});

test("A asks the person at the phone, and the question stands at the entry", async () => {
  const user = userEvent.setup();
  await show(tag);
  await user.keyboard("a");
  await user.click(screen.getByRole("button", { name: "Which tag is right for #1042?" }));
  await user.click(screen.getByRole("button", { name: "Send the question" }));
  expect(await screen.findByText(/Dan asked Maria at .*No answer yet|No answer yet/)).toBeVisible();
  expect(api.asked).toEqual([{ id: "c-tag", text: "Which tag is right for #1042?" }]);
});

test("/ searches, and nothing is decided by what is typed there", async () => {
  const user = userEvent.setup();
  await show(...absence());
  await user.keyboard("/");
  const search = await screen.findByRole("searchbox", { name: "Search what needs checking" });
  await expect.poll(() => document.activeElement).toBe(search);
  await user.keyboard("1051");
  expect(screen.queryByRole("checkbox", { name: "Select #1042" })).toBeNull();
  await user.keyboard("{Enter}");
  expect(screen.getByRole("heading", { level: 2 }).textContent).toContain("#1051");
  expect(api.resolved).toEqual([]);
});

test("an entry that was not accepted is saved for its author, with another value and a reason", async () => {
  const user = userEvent.setup();
  api = fakeApi([]);
  api.refused = [refused()];
  render(Stage, { desk: new Desk(api), Screen: ChecksPage });
  await screen.findByRole("heading", { level: 2, name: "Ana’s change to #7008 was not accepted." });
  expect(screen.getByText("Ana’s job at the show does not include this.")).toBeVisible();
  const save = screen.getByRole("button", { name: "Save for Ana" });
  expect(save).toBeDisabled();
  const field = screen.getByRole("textbox", { name: "Tag, to be saved" });
  await user.clear(field);
  await user.type(field, "g-772");
  await user.type(screen.getByRole("textbox", { name: "Reason" }), "Tag was cut off");
  await user.click(save);
  await screen.findByText("#7008: saved for Ana.");
  expect(api.dealtWith).toEqual([
    { id: "o-9", how: "apply", request: { reason: "Tag was cut off", data: { tag: "G-772" } } },
  ]);
});

test("an entry that came too late says why itself, and is saved with one tap", async () => {
  const user = userEvent.setup();
  api = fakeApi([]);
  const sample = refused();
  const made = "2026-08-14T13:51:00.000Z";
  api.refused = [
    refused({ late: true, op: { ...sample.op, client_time: made }, received_at: "2026-08-14T14:40:00.000Z" }),
  ];
  render(Stage, { desk: new Desk(api), Screen: ChecksPage });
  const save = await screen.findByRole("button", { name: "Save for Ana" });
  const reason = screen.getByRole<HTMLInputElement>("textbox", { name: "Reason" }).value;
  expect(reason).toMatch(/^Came too late: made at .*\d:51.*, reached the laptop at .*\d:40/);
  await user.click(save);
  await screen.findByText("#7008: saved for Ana.");
  expect(api.dealtWith).toEqual([{ id: "o-9", how: "apply", request: { reason } }]);
});

test("an entry that was not accepted is left out only with a reason", async () => {
  const user = userEvent.setup();
  api = fakeApi([]);
  api.refused = [refused()];
  render(Stage, { desk: new Desk(api), Screen: ChecksPage });
  const drop = await screen.findByRole("button", { name: "Leave out" });
  expect(drop).toBeDisabled();
  await user.type(screen.getByRole("textbox", { name: "Reason" }), "Entered twice");
  await user.click(drop);
  expect(api.dealtWith).toEqual([{ id: "o-9", how: "drop", request: "Entered twice" }]);
  await screen.findByText("Nothing to check.");
});

test("without a clash the page says how much came in without problems", async () => {
  api = fakeApi([conflict({ status: "merged_automatically", contested: ["pen"] })]);
  const desk = new Desk(api);
  render(Stage, { desk, Screen: ChecksPage });
  await desk.overview.refresh();
  await screen.findByRole("heading", { name: "Nothing to check. 214 entries came in today without problems." });
  expect(screen.getByRole("list", { name: "Joined automatically today" })).toBeVisible();
  expect(screen.getByRole("button", { name: "See the one joined" })).toBeVisible();
});

test("what was joined is opened again, and its value stays meanwhile", async () => {
  const user = userEvent.setup();
  location.hash = "#/needs-checking?show=joined";
  await show(conflict({ status: "merged_automatically", contested: ["pen"], clean: [] }));
  await user.click(screen.getByRole("button", { name: "Open again" }));
  await screen.findByText("#1042 is open again. Its value stays until you decide.");
  expect(screen.getByRole("button", { name: "Use phone’s" })).toBeVisible();
});
