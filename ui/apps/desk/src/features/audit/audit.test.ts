import { expect, test, vi } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { AuditItem, DeskApi } from "../../data/desk-api.ts";
import { parseRoute } from "../../shell/route.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { deed, show } from "../../testing/samples.ts";
import { auditAddress, filterOf, readAuditAddress } from "./address.ts";
import { AuditList, PAGE_ROWS } from "./audit-list.svelte.ts";
import { changesLine, changesOf, deedText } from "./audit-text.ts";

const text = { show, rings: [{ id: "r-1", name: "Ring 1" }] };
const line = (item: Partial<AuditItem>) => changesLine(changesOf(deed(item), text));

test("a line says who did what to what", () => {
  expect(deedText(deed())).toBe("Dan let Maria’s phone in");
  expect(deedText(deed({ action: "conflict_resolved", subject_text: "#1042" }))).toBe(
    "Dan decided the clash about #1042",
  );
  expect(deedText(deed({ actor: null, action: "op_retried", subject_text: undefined, after: null }))).toBe(
    "Showdesk tried an entry about something again",
  );
  expect(
    deedText(deed({ action: "message_sent", subject_text: undefined, after: { title: "Lunch", people: 14 } })),
  ).toBe("Dan sent the message Lunch");
  expect(deedText(deed({ action: "moon_moved", subject_text: "#1" }))).toBe("Dan moon moved #1");
});

test("what was other before is told in the words of the screen", () => {
  expect(
    line({ action: "device_changed", before: { functions: ["scale"] }, after: { functions: ["gate", "checkin"] } }),
  ).toBe("Does Scale → Gate and Check-in");
  expect(
    line({
      action: "device_changed",
      before: { permissions: { granted: [], withheld: [] } },
      after: { permissions: { granted: ["fix_tags"], withheld: [] } },
    }),
  ).toBe("May also Change ear tags");
  expect(line({ before: { scope: { ring_ids: [] } }, after: { scope: { ring_ids: ["r-1"] } } })).toBe(
    "Rings Everywhere → Ring 1",
  );
  expect(line({ before: { expires_at: "2026-08-18T05:00:00.000Z" }, after: { expires_at: null } })).toBe(
    "Pass until 18 Aug 12:00 am → Never",
  );
});

test("alerts and problems are told by name, with what somebody chose", () => {
  const before = { id: "slow_answers", threshold: 500, recovery: 400, wait: 300, enabled: true };
  const rule = { action: "alert_rule_changed", before: null, subject_text: undefined };
  const after = { rule: "slow_answers", before, after: { ...before, threshold: 800, recovery: 640 } };
  expect(deedText(deed({ ...rule, after }))).toBe("Dan changed the alert about slow answers");
  expect(line({ ...rule, after })).toBe("Limit 500 → 800");
  expect(line({ ...rule, after: { ...after, after: { ...before, enabled: false } } })).toBe("Looked at Yes → No");
  const own = { metric: "memory", aggregate: "last", threshold: 2 * 1024 ** 3, wait: 300 };
  const added = { ...rule, after: { rule: "own_1", before: null, after: own } };
  expect(deedText(deed(added))).toBe("Dan changed the alert about the memory Showdesk uses");
  expect(line(added)).toBe("Limit 2 GB; For how long 5 min");
  const problem = { action: "problem_changed", before: null, subject_text: undefined };
  const solved = { problem: "Storage full", status: "resolved", before: "open" };
  expect(deedText(deed({ ...problem, after: solved }))).toBe("Dan said how the problem Storage full stands");
  expect(line({ ...problem, after: solved })).toBe("State Open → Solved");
});

test("of a phone that is new only what was chosen is told", () => {
  const scope = { ring_ids: [], departments: ["sheep"], exhibitor_ids: [] };
  const after = { name: "Maria", functions: ["scale"], scope, expires_at: null, check_number: "7730" };
  expect(line({ before: null, after })).toBe("Does Scale; Departments Sheep; Number 7730");
});

test("a decision tells its values, and what did not change stays out", () => {
  const decision = {
    action: "conflict_resolved",
    table_name: "weigh_ins",
    before: { status: "open", values: { weight_x10: 6120, unit: "lb" } },
    after: { status: "resolved", resolution: "client_wins", values: { weight_x10: 6210, unit: "lb" } },
  };
  expect(line(decision)).toBe("Weight 612 lb → 621 lb; Decision Phone’s kept");
  // The sentence says that it was decided; alone, the state is told.
  expect(line({ before: { status: "open" }, after: { status: "withdrawn" } })).toBe(
    "Status Needs checking → Taken back",
  );
});

test("the address holds every filter; the last day is meant whole, by the show's clock", () => {
  const hash = auditAddress({ q: " 1042 ", action: "op_dropped", fromDay: "2026-08-13", toDay: "2026-08-14", open: 7 });
  const view = readAuditAddress(parseRoute(hash));
  expect(view).toMatchObject({ q: "1042", open: 7, person: "" });
  expect(filterOf(view, "America/Chicago")).toEqual({
    q: "1042",
    action: "op_dropped",
    from: "2026-08-13T05:00:00.000Z",
    to: "2026-08-15T05:00:00.000Z",
  });
});

/** A record of so many lines, in pages. */
function record(count: number) {
  const rows = Array.from({ length: count }, (_, index) => deed({ id: count - index }));
  const asked: (string | undefined)[] = [];
  const audit: DeskApi["audit"] = (_filter, cursor, limit) => {
    asked.push(cursor);
    const from = Number(cursor ?? "0");
    const end = from + limit;
    return Promise.resolve({
      items: rows.slice(from, end),
      cursor: end < rows.length ? String(end) : undefined,
    });
  };
  return { rows, asked, audit };
}

test("21,000 lines are read page by page, each asked for once", async () => {
  const { rows, asked, audit } = record(21_000);
  const list = new AuditList(new Desk(fakeApi([], { audit })));
  list.show({});
  await vi.waitFor(() => expect(list.loaded).toBe(true));
  expect(list.items).toHaveLength(PAGE_ROWS);
  while (list.hasMore) await Promise.all([list.more(), list.more()]);
  expect(list.items.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  expect(new Set(asked).size).toBe(asked.length);
});

test("what is done meanwhile comes on top, and the rows that were read stay", async () => {
  const { rows, audit } = record(300);
  const list = new AuditList(new Desk(fakeApi([], { audit })));
  list.show({});
  await vi.waitFor(() => expect(list.loaded).toBe(true));
  await list.more();
  rows.unshift(deed({ id: 301, action: "device_removed" }));
  await Promise.all([list.refresh(), list.refresh(), list.refresh()]);
  expect(list.items[0]?.action).toBe("device_removed");
  expect(list.items).toHaveLength(301);
});

test("a filter that fails shows no rows of the list before, and is asked for again", async () => {
  const { audit } = record(300);
  const asked = vi.fn(audit);
  const list = new AuditList(new Desk(fakeApi([], { audit: asked })));
  list.show({});
  await vi.waitFor(() => expect(list.loaded).toBe(true));
  asked.mockImplementationOnce(() => Promise.reject(new Error("away")));
  list.show({ action: "op_dropped" });
  await vi.waitFor(() => expect(list.error).toBeDefined());
  expect(list.items).toEqual([]);
  expect([list.loaded, list.hasMore]).toEqual([false, false]);
  await list.refresh();
  expect(asked).toHaveBeenLastCalledWith({ action: "op_dropped" }, undefined, PAGE_ROWS);
  expect(list.items).toHaveLength(PAGE_ROWS);
  expect(list.error).toBeUndefined();
});

test("more than a page came at once, and the list begun anew fails: that is not forgotten", async () => {
  const { rows, audit } = record(300);
  const asked = vi.fn(audit);
  const list = new AuditList(new Desk(fakeApi([], { audit: asked })));
  list.show({});
  await vi.waitFor(() => expect(list.loaded).toBe(true));
  for (let id = 301; id <= 300 + PAGE_ROWS; id += 1) rows.unshift(deed({ id }));
  asked.mockImplementationOnce(audit).mockImplementationOnce(() => Promise.reject(new Error("away")));
  await list.refresh();
  expect(list.error).toBeDefined();
  expect(list.items).toEqual([]);
});

test("an answer for the list before is dropped, and a page that fails can be asked for again", async () => {
  const answers: ((page: Awaited<ReturnType<DeskApi["audit"]>>) => void)[] = [];
  const audit = vi.fn<DeskApi["audit"]>(() => new Promise((resolve) => answers.push(resolve)));
  const list = new AuditList(new Desk(fakeApi([], { audit })));
  list.show({});
  list.show({ action: "op_dropped" });
  answers[1]?.({ items: [deed({ id: 2, action: "op_dropped" })], cursor: "next" });
  answers[0]?.({ items: [deed({ id: 1 })], cursor: undefined });
  await vi.waitFor(() => expect(list.items.map(({ id }) => id)).toEqual([2]));

  audit.mockImplementationOnce(() => Promise.reject(new Error("away")));
  await list.more();
  expect(list.error).toBeDefined();
  expect(list.items).toHaveLength(1);
  audit.mockImplementationOnce(() => Promise.resolve({ items: [deed({ id: 1 })], cursor: undefined }));
  await list.more();
  expect(list.items.map(({ id }) => id)).toEqual([2, 1]);
  expect(list.hasMore).toBe(false);
});
