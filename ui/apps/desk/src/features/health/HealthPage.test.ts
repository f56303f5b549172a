import { ApiProblem } from "@showdesk/api";
import { render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { AlertSettings, DeskApi, Rule } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { alertEvent, phoneAway, problem, request, responseTime, rule, slowAnswers } from "../../testing/fake-health.ts";
import { overview } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import AlertPanels from "../alerts/AlertPanels.svelte";
import AlertsBell from "../alerts/AlertsBell.svelte";
import HealthPage from "./HealthPage.svelte";

const user = userEvent.setup();
const NONE = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };

beforeEach(() => {
  localStorage.clear();
  history.replaceState(null, "", "#/health");
});

async function open(change: Partial<DeskApi> = {}, Screen: typeof HealthPage = HealthPage): Promise<Desk> {
  const desk = new Desk(fakeApi([], change));
  desk.now = Date.parse("2026-08-14T15:45:00.000Z");
  await Promise.all([desk.overview.refresh(), desk.alerts.refresh()]);
  render(Stage, { desk, Screen });
  return desk;
}

test("from a spike to its requests by keyboard alone, and back to where it was", async () => {
  const requestsOf = vi.fn<DeskApi["requestsOf"]>(() => Promise.resolve({ items: [request()], cursor: undefined }));
  const problems = vi.fn<DeskApi["problems"]>(() =>
    Promise.resolve({ open: 1, items: [problem()], cursor: undefined }),
  );
  await open({ requestsOf, problems });
  const steps = await screen.findByRole("slider", { name: /^Response time/ });
  expect(steps).toHaveAttribute("aria-valuetext", "9:40: p95 560 ms, Errors 14");
  steps.focus();
  await user.keyboard("{ArrowLeft}");
  expect(steps).toHaveAttribute("aria-valuetext", "9:35: p95 180 ms, Errors 0");
  await user.keyboard("{ArrowRight}{Enter}");
  const beside = await screen.findByRole("region", { name: "What happened then" });
  expect(within(beside).getByRole("heading", { name: "Requests around 9:40" })).toBeInTheDocument();
  expect(await within(beside).findByText("620 ms")).toBeInTheDocument();
  expect(within(beside).getByText("Maria’s phone back")).toBeInTheDocument();
  expect(await within(beside).findByRole("link", { name: problem().title })).toBeInTheDocument();
  const [from, to] = ["2026-08-14T14:40:00.000Z", "2026-08-14T14:45:00.000Z"];
  expect(requestsOf).toHaveBeenCalledWith({ from, to, only: "slow" }, undefined);
  expect(problems).toHaveBeenCalledWith({ from, to }, undefined);
  await waitFor(() => expect(beside).toContainElement(document.activeElement as HTMLElement));
  await user.keyboard("{Escape}");
  await waitFor(() => expect(steps).toHaveFocus());
  expect(location.hash).toBe("#/health");
});

test("a heat map leads to the requests of its task", async () => {
  const requestsOf = vi.fn<DeskApi["requestsOf"]>(() => Promise.resolve({ items: [], cursor: undefined }));
  await open({ requestsOf });
  const steps = await screen.findByRole("slider", { name: /^Slow spots/ });
  steps.focus();
  await user.keyboard("{Home}{ArrowRight}{ArrowDown}");
  expect(steps).toHaveAttribute("aria-valuetext", "9:40: Get changes 517 ms");
  await user.keyboard("{Enter}");
  expect(await screen.findByText("No requests were kept from that time.")).toBeInTheDocument();
  expect(requestsOf.mock.calls.map(([{ task, only }]) => [task, only])).toEqual([
    ["Get changes", "slow"],
    ["Get changes", undefined],
  ]);
});

test("a chart is a table too, the newest line first, each leading to its time", async () => {
  await open();
  await user.click(await screen.findByRole("button", { name: "Response time as a table" }));
  const table = screen.getByRole("table", { name: /^Response time/ });
  const cells = (row: HTMLElement) => [...row.children].map((cell) => cell.textContent?.trim());
  expect(within(table).getAllByRole("row").map(cells)).toEqual([
    ["Time", "p95", "Errors"],
    ["9:45", "–not measured", "–not measured"],
    ["9:40", "560 ms", "14"],
    ["9:35", "180 ms", "0"],
  ]);
  const link = within(table).getByRole("link", { name: "9:40" });
  expect(decodeURIComponent(link.getAttribute("href") ?? "")).toContain("2026-08-14T14:40:00.000Z");
});

test("a problem is solved, and that is taken back", async () => {
  let status: "open" | "resolved" | "ignored" = "open";
  const setProblem = vi.fn<DeskApi["setProblem"]>((_id, next) => {
    status = next;
    return Promise.resolve();
  });
  const problems: DeskApi["problems"] = (filter) => {
    const isAsked = filter.status === (status === "resolved" ? "solved" : status);
    return Promise.resolve({ open: status === "open" ? 1 : 0, items: isAsked ? [problem()] : [], cursor: undefined });
  };
  const desk = await open({ problems, setProblem });
  await user.click(await screen.findByRole("button", { name: `Solved: ${problem().title}` }));
  expect(await screen.findByText(/^No problems/)).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Undo" }));
  await waitFor(() => expect(setProblem.mock.calls.map(([, next]) => next)).toEqual(["resolved", "open"]));
  desk.live.wake("errors");
  expect(await screen.findByRole("link", { name: `Details: ${problem().title}` })).toBeInTheDocument();
});

test("a limit is changed where it stands; what is no limit is said and not kept", async () => {
  const kept: Rule[] = [];
  const setRule: DeskApi["setRule"] = (next) => {
    kept.push(next);
    return Promise.resolve();
  };
  await open({ alertRules: () => Promise.resolve([slowAnswers()]), setRule });
  await user.click(await screen.findByRole("button", { name: "Change the limit: 500 ms" }));
  const field = screen.getByRole("textbox", { name: /^Limit/ });
  expect(field).toHaveFocus();
  await user.keyboard("soon{Enter}");
  expect(screen.getByRole("alert")).toHaveTextContent("Type milliseconds, such as 500 ms.");
  expect(field).toHaveAccessibleDescription("Type milliseconds, such as 500 ms.");
  expect(kept).toEqual([]);
  await user.clear(field);
  await user.keyboard("750{Enter}");
  await waitFor(() => expect(kept).toEqual([rule({ threshold: 750, recovery: 600 })]));
  expect(await screen.findByText("Saved: tell me when slow answers (p95) take over 750 ms for 5 min.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Undo" }));
  await waitFor(() => expect(kept).toEqual([rule({ threshold: 750, recovery: 600 }), rule()]));
});

test("a rule that fires names whom, is silenced for an hour, and an own one is removed and put back", async () => {
  const own = phoneAway({ built_in: false, rule: rule({ id: "own_1" }) });
  let rules = [own];
  const setRule = vi.fn<DeskApi["setRule"]>((next) => {
    rules = [{ ...own, rule: next }];
    return Promise.resolve();
  });
  const dropRule = vi.fn<DeskApi["dropRule"]>(() => {
    rules = [];
    return Promise.resolve();
  });
  await open({ alertRules: () => Promise.resolve(rules), setRule, dropRule });
  await user.click(await screen.findByRole("link", { name: /^1 now/ }));
  const beside = await screen.findByRole("region", { name: "Alert" });
  expect(within(beside).getByText("Maria’s phone")).toBeInTheDocument();
  expect(within(beside).getByText("29 min")).toBeInTheDocument();
  await user.click(within(beside).getByRole("button", { name: "For an hour" }));
  await waitFor(() => expect(setRule.mock.calls[0]?.[0].silenced_until).toBe("2026-08-14T16:45:00.000Z"));
  expect(await within(beside).findByText(/^Nobody is told until 11:45/)).toBeInTheDocument();
  await user.click(within(beside).getByRole("button", { name: "Remove" }));
  await waitFor(() => expect(screen.queryByRole("region", { name: "Alert" })).toBeNull());
  expect(dropRule).toHaveBeenCalledWith("own_1");
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  expect(await screen.findByRole("link", { name: /^Silent until 11:45/ })).toBeInTheDocument();
});

test("a rule is added in words", async () => {
  const setRule = vi.fn<DeskApi["setRule"]>(() => Promise.resolve());
  await open({ setRule });
  await user.click(await screen.findByRole("button", { name: "Add an alert" }));
  const dialog = screen.getByRole("dialog", { name: "Tell me when" });
  await user.selectOptions(within(dialog).getByLabelText("What"), "the laptop’s battery");
  expect(within(dialog).getByLabelText("Side")).toHaveValue("below");
  await user.click(within(dialog).getByRole("button", { name: "Add alert" }));
  expect(within(dialog).getByText("Type a part of a hundred, from 0 to 100 %.")).toBeInTheDocument();
  await user.type(within(dialog).getByLabelText("Limit"), "30 %");
  await user.click(within(dialog).getByRole("checkbox", { name: "On phones of the office" }));
  await user.click(within(dialog).getByRole("button", { name: "Add alert" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  const sinks = ["desktop", "stream", "push"];
  const made = { metric: "battery", operator: "below", threshold: 30, recovery: 30, wait: 300, sinks };
  expect(setRule.mock.calls[0]?.[0]).toMatchObject(made);
});

test("nothing measured, measuring that is off, and an answer that failed are three things", async () => {
  const empty = { from: "", to: "", charts: [responseTime({ measured: false })] };
  let charts: DeskApi["charts"] = () => Promise.resolve(empty);
  const desk = await open({ charts: (view, width) => charts(view, width) });
  expect(await screen.findByRole("heading", { name: "Nothing measured yet" })).toBeInTheDocument();
  charts = () => Promise.reject(new ApiProblem(500, "internal", "It broke", "later", NONE));
  await user.click(screen.getByRole("button", { name: "1 h" }));
  expect(await screen.findByText(/could not be drawn again/)).toBeInTheDocument();
  expect(desk.router.route.query.get("range")).toBe("1h");
});

test("measuring that is off says that entries are not touched", async () => {
  await open({ charts: () => Promise.reject(new ApiProblem(503, "recording_off", "off", "later", NONE)) });
  expect(await screen.findByRole("heading", { name: "Measuring is off" })).toBeInTheDocument();
  expect(screen.getByText(/Entries are not touched/)).toBeInTheDocument();
});

test("the bell counts what needs somebody, names it, and leads there", async () => {
  const alertRules = () => Promise.resolve([slowAnswers(), phoneAway()]);
  await open(
    { alertRules, overview: () => Promise.resolve(overview({ needs_attention: 2 })) },
    AlertsBell as typeof HealthPage,
  );
  await user.click(screen.getByRole("button", { name: "2 alerts" }));
  const list = screen.getByRole("region", { name: "2 alerts" });
  expect(within(list).getByText("2 entries were not accepted")).toBeInTheDocument();
  await user.click(within(list).getByRole("link", { name: /A phone is away with unsent work/ }));
  expect(location.hash).toBe("#/health/rule/phone_away_unsent");
  expect(screen.queryByRole("region", { name: "2 alerts" })).toBeNull();
});

test("what is told while the desk is open is said there, what was told before is not", async () => {
  const before = alertEvent({ id: "old" });
  let items = [before];
  const alertEvents = vi.fn<DeskApi["alertEvents"]>(() => Promise.resolve({ items, cursor: undefined }));
  const rules = [phoneAway(), slowAnswers({ rule: rule({ sinks: ["desktop"] }) })];
  const desk = await open({ alertEvents, alertRules: () => Promise.resolve(rules) }, AlertsBell as typeof HealthPage);
  await waitFor(() => expect(alertEvents).toHaveBeenCalledOnce());
  expect(desk.toasts.current).toBeUndefined();
  const over = alertEvent({ id: "new", kind: "resolved", headline: "Phones with unsent work are back" });
  const elsewhere = alertEvent({
    id: "else",
    rule: "slow_answers",
    severity: "critical",
    headline: "Answers are slow",
  });
  items = [over, elsewhere, alertEvent({ id: "quiet", quiet: true, severity: "critical" }), before];
  desk.live.wake("alerts");
  expect(await screen.findByText("Phones with unsent work are back: Maria’s phone")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Look at it" }));
  expect(location.hash).toBe("#/health/rule/phone_away_unsent");
});

test("a problem is found by the number that somebody was shown", async () => {
  const number = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
  const problems: DeskApi["problems"] = (filter) =>
    Promise.resolve({ open: 0, items: filter.number === number ? [problem()] : [], cursor: undefined });
  await open({ problems });
  await user.click(await screen.findByRole("button", { name: "Find by the number that was shown" }));
  const field = screen.getByLabelText("Number that was shown");
  await user.type(field, "17{Enter}");
  expect(screen.getByText(/^Type the whole number/)).toBeInTheDocument();
  await user.clear(field);
  await user.type(field, `No. ${number.toUpperCase()}{Enter}`);
  await waitFor(() => expect(location.hash).toBe("#/health/problem/f-1"));
});

test("a web address for alerts is kept, tried, and only its beginning shown again", async () => {
  const none: AlertSettings = { desktop: true, push: false, webhook: undefined, quiet_hours: undefined };
  const webhook = { address: "https://hooks.example.org/…", last: undefined };
  const setAlertSettings = vi.fn<DeskApi["setAlertSettings"]>(() => Promise.resolve({ ...none, webhook }));
  const testWebhook = () => Promise.resolve({ ok: false, sentence: "The address does not answer." });
  await open(
    { alertSettings: () => Promise.resolve(none), setAlertSettings, testWebhook },
    AlertPanels as typeof HealthPage,
  );
  const field = await screen.findByLabelText("Web address");
  await user.type(field, "hooks.example.org{Enter}");
  expect(screen.getByText("Type an address that begins with https:// or http://.")).toBeInTheDocument();
  await user.clear(field);
  await user.type(field, "https://hooks.example.org/T0/secret{Enter}");
  expect(await screen.findByText("https://hooks.example.org/…")).toBeInTheDocument();
  expect(setAlertSettings.mock.calls).toEqual([[{ webhook: { url: "https://hooks.example.org/T0/secret" } }]]);
  await user.click(screen.getByRole("button", { name: "Say a test there" }));
  expect(await screen.findByText("The address does not answer.")).toBeInTheDocument();
});
