import { ApiProblem } from "@showdesk/api";
import { render, screen } from "@testing-library/svelte";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import { fakeApi, type FakeApi } from "../../testing/fake-api.ts";
import { cards, conflict, placing } from "../../testing/samples.ts";
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
  await show(tag, conflict({ id: "c-2", subject: { tag: "2203" } }));
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
