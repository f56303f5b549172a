import { ApiProblem, Unreachable } from "@showdesk/api";
import { rescueParts, writeRescue } from "@showdesk/sync/rescue-copy";
import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { DeskApi, RescueItem, RescueReport } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { show } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import { fateOf, subjectOf, whatOf } from "./describe.ts";
import { Rescue } from "./rescue.svelte.ts";
import RescuePage from "./RescuePage.svelte";

const user = userEvent.setup();
const MARIA = { id: "p-maria", name: "Maria Santos" };

const FILE = writeRescue({
  format: "showdesk-rescue",
  version: 1,
  made_at: "2026-08-14T15:40:00.000Z",
  installation_id: "11111111-1111-4111-8111-111111111111",
  show_name: "Cedar County Fair",
  device_id: "d-maria",
  person: MARIA,
  epoch: "e1",
  schema: 1,
  pushes: [
    {
      incarnation: "i1",
      recovered_from: null,
      ops: ["o-1", "o-2", "o-3", "o-4"].map((op_id, i) => ({
        op_id,
        device_seq: i + 1,
        txn: i < 2 ? null : { id: "t-1", size: 2 },
        table_name: "weigh_ins",
        record_id: `w-${String(i + 1)}`,
        operation: "insert",
        base_version: 0,
        prev_op_id: null,
        epoch: null,
        reason: null,
        data: {},
        client_time: "2026-08-14T15:30:00.000Z",
      })),
    },
  ],
});

type Result = NonNullable<RescueItem["result"]>;

function item(result: Partial<Result>, change: Partial<RescueItem> = {}): RescueItem {
  return {
    op_id: "o-1",
    table_name: "weigh_ins",
    operation: "insert",
    subject: { tag: "1042", breed: "Angus", sex: "steer" },
    data: { animal_id: "a-1042", weight_x10: 6210 },
    made_at: "2026-08-14T15:30:00.000Z",
    result: { op_id: "o-1", verdict: "applied", ...result },
    ...change,
  };
}

const ITEMS = [
  item({}),
  item({ verdict: "conflict", conflict_id: "c-1" }, { op_id: "o-2", subject: { tag: "1043" } }),
  item({}, { op_id: "o-3", subject: { tag: "1044" } }),
  item({}, { op_id: "o-4", subject: { tag: "1045" } }),
];

function report(items: RescueItem[] = ITEMS): RescueReport {
  const device = { id: "d-maria", name: "Maria’s phone" };
  return { device, device_removed: false, author: MARIA, made_at: "2026-08-14T15:40:00.000Z", items };
}

interface Taken {
  copy: unknown;
  leaveOut: string[];
}

function rescueOf(change: Partial<DeskApi> = {}) {
  const taken: Taken[] = [];
  const api = fakeApi([], {
    previewRescue: () => Promise.resolve(report()),
    takeInRescue: (copy, leaveOut) => {
      taken.push({ copy, leaveOut });
      const without = (one: RescueItem) => (leaveOut.includes(one.op_id) ? { ...one, result: undefined } : one);
      return Promise.resolve(report(ITEMS.map(without)));
    },
    ...change,
  });
  const desk = new Desk(api);
  return { desk, rescue: new Rescue(desk), taken };
}

beforeEach(() => history.replaceState(null, "", "#/rescue"));

test("a file is looked through before anything is taken in, and goes to the desk as the phone wrote it", async () => {
  const { rescue, taken } = rescueOf();
  await rescue.read(FILE);
  expect(rescue.state.step).toBe("look");
  expect(taken).toEqual([]);
  await rescue.takeIn();
  expect(taken).toEqual([{ copy: JSON.parse(FILE), leaveOut: [] }]);
  expect(rescue.state.step).toBe("done");
});

test("codes are put together in any order; until all are there the missing ones are named", async () => {
  const { rescue } = rescueOf();
  const codes = rescueParts(FILE);
  expect(codes.length).toBeGreaterThan(0);
  const many = rescueParts(FILE.replace('"show_name":"Cedar County Fair"', `"show_name":"${"x".repeat(900)}"`));
  await rescue.read(many.slice(0, 1).join("\n"));
  expect(rescue.problem).toMatch(/^1 of \d codes read\. Still missing: 2/);
  await rescue.read([...codes].reverse().join("\r\n"));
  expect(rescue.problem).toBeUndefined();
  expect(rescue.state.step).toBe("look");
});

test.each([
  ["", "Paste the text first."],
  ["{}", "This is not a file that a phone saved for the desk. Nothing was taken in."],
  [FILE.replace("Maria", "Marie"), "The file or a code is damaged. Save it again on the phone. Nothing was taken in."],
])("what is no whole copy is refused in words", async (text, problem) => {
  const { rescue } = rescueOf();
  await rescue.read(text);
  expect(rescue.problem).toBe(problem);
  expect(rescue.state.step).toBe("file");
});

test("a file of another show is refused by the desk, in words", async () => {
  const more = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
  const { rescue } = rescueOf({
    previewRescue: () => Promise.reject(new ApiProblem(422, "other_show", "other show", "never", more)),
  });
  await rescue.read(FILE);
  expect(rescue.problem).toBe("The file belongs to another show. Nothing was taken in.");
  expect(rescue.state.step).toBe("file");
});

test("entries that belong together are left out together", async () => {
  const { rescue } = rescueOf();
  await rescue.read(FILE);
  rescue.toggle(ITEMS[2] ?? item({}));
  expect([...rescue.leftOut]).toEqual(["o-3", "o-4"]);
  expect(rescue.taken.map(({ op_id }) => op_id)).toEqual(["o-1", "o-2"]);
  rescue.toggle(ITEMS[3] ?? item({}));
  expect(rescue.leftOut).toEqual([]);
});

test("without an answer it is not claimed that nothing was written", async () => {
  const { rescue } = rescueOf({ takeInRescue: () => Promise.reject(new Unreachable("network")) });
  await rescue.read(FILE);
  await rescue.takeIn();
  expect(rescue.problem).toMatch(/not known what was taken in/);
  expect(rescue.state.step).toBe("look");
});

test("an entry says what it is and what becomes of it", () => {
  expect(subjectOf(item({}))).toBe("#1042");
  expect(whatOf(item({}), show)).toBe("Weight 621 lb");
  const fates = [
    item({}),
    item({ replayed: true }),
    item({ verdict: "noop" }),
    item({ verdict: "held", conflict_id: "c-1" }),
    item({ verdict: "held" }),
    item({ verdict: "rejected" }),
    item({}, { result: undefined }),
  ].map(fateOf);
  expect(fates).toEqual(["new", "known", "same", "conflict", "waits", "refused", "left"]);
});

test("the page leads from the file to the result; the button carries the number", async () => {
  const { desk, taken } = rescueOf();
  await desk.overview.refresh();
  render(Stage, { desk, Screen: RescuePage });
  await user.upload(screen.getByLabelText("File of a phone", { selector: "input" }), new File([FILE], "copy.json"));
  const table = await screen.findByRole("table", { name: "Entries of the phone" });
  expect(
    within(table).getByRole("row", { name: /#1042 Angus steer Weight 621 lb Maria Santos .* Comes in/ }),
  ).toBeVisible();
  await user.click(screen.getByRole("checkbox", { name: "Take in #1042" }));
  expect(screen.getByText("1 entry left out. It stays on the phone.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Take in 3 entries" }));
  await waitFor(() => expect(taken[0]?.leaveOut).toEqual(["o-1"]));
  expect(await screen.findByText("2 entries of Maria Santos taken in.")).toBeVisible();
  expect(screen.getByRole("link", { name: "Needs checking" })).toHaveAttribute("href", "#/needs-checking/c-1");
});

test("text is pasted where no file can be brought", async () => {
  const { desk } = rescueOf();
  await desk.overview.refresh();
  render(Stage, { desk, Screen: RescuePage });
  await user.click(screen.getByRole("textbox", { name: "Text of the file, or of the codes" }));
  await user.paste(FILE);
  await user.click(screen.getByRole("button", { name: "Read it" }));
  expect(await screen.findByText("4 entries of Maria Santos")).toBeVisible();
});

test("entries of a phone that was removed say so, and why one was not accepted", async () => {
  const error = { code: "locked", detail: "this cannot be changed in stage C of the show" };
  const removed = { ...report([item({ verdict: "rejected", error })]), device_removed: true };
  const { desk } = rescueOf({ previewRescue: () => Promise.resolve(removed) });
  await desk.overview.refresh();
  render(Stage, { desk, Screen: RescuePage });
  await user.upload(screen.getByLabelText("File of a phone", { selector: "input" }), new File([FILE], "copy.json"));
  expect(await screen.findByText(/This phone was removed/)).toBeVisible();
  expect(screen.getByText("This cannot be changed in stage C of the show.")).toBeVisible();
});

test("with nothing ticked there is nothing to take in", async () => {
  const { desk } = rescueOf();
  await desk.overview.refresh();
  render(Stage, { desk, Screen: RescuePage });
  await user.upload(screen.getByLabelText("File of a phone", { selector: "input" }), new File([FILE], "copy.json"));
  await user.click(await screen.findByRole("checkbox", { name: "Take in all" }));
  expect(screen.getByText("Nothing is ticked.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Take in 0 entries" })).toBeDisabled();
});
