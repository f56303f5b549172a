import { expect, test } from "vitest";

import { ALIKE_MAX, FAULTS_MAX, FIGURES_MAX, Noticed, type Fault, type Figure } from "../src/noticed.ts";
import { beginWithOnePhone, desk, phone } from "./beginning.ts";
import { MemoryShelf } from "./fake-desk.ts";

beginWithOnePhone();

const INSTALLATION = "11111111-1111-4111-8111-111111111111";
const MINUTE_MS = 60_000;

/** What one page of the phone notices. */
function page(shelf: MemoryShelf = phone.shelf, installation: string | null = INSTALLATION): Noticed {
  const { api, store } = phone;
  return new Noticed({ api, store, shelf, installation: () => installation ?? undefined, now: () => phone.nowMs });
}

const fault = (change: Partial<Fault> = {}): Fault => ({
  type: "TypeError",
  message: "x is undefined",
  stack: "at save (/assets/page.js:1:2)",
  context: { page: "weigh-in" },
  atMs: phone.nowMs,
  ...change,
});

const figure = (tookMs: number): Figure => ({ what: "search", tookMs, status: 200, atMs: phone.nowMs });

test("a fault and a figure are told as the protocol says, figures once a minute", async () => {
  const noticed = page();
  noticed.took(figure(12.5));
  noticed.failed(fault());
  await noticed.tell();
  const at = new Date(phone.nowMs).toISOString();
  const error = {
    error_type: "TypeError",
    message: "x is undefined",
    stack_trace: "at save (/assets/page.js:1:2)",
    context: { page: "weigh-in" },
    at,
  };
  expect(desk.told).toEqual([{ type: "error", data: [error] }]);
  phone.nowMs += MINUTE_MS;
  await noticed.tell();
  await noticed.tell();
  const row = { endpoint: "search", method: "DO", duration: 12.5, status_code: 200, at };
  expect(desk.told.slice(1)).toEqual([{ type: "performance", data: [row] }]);
});

test("times are told by the desk's clock", async () => {
  await phone.store.setFact("clock_ahead_ms", 90_000);
  const noticed = page();
  noticed.failed(fault());
  await noticed.tell();
  expect(desk.told[0]?.data[0]).toMatchObject({ at: new Date(phone.nowMs + 90_000).toISOString() });
});

test("what could not be told is told later, also by the next page, and once", async () => {
  const first = page();
  first.took(figure(1));
  first.failed(fault());
  desk.isDown = true;
  await first.tell();
  desk.isDown = false;
  desk.refusal = { status: 503, body: { code: "busy" } };
  phone.nowMs += MINUTE_MS;
  await first.tell();
  expect(desk.told).toEqual([]);
  desk.refusal = null;
  const [next, other] = [page(), page()];
  phone.nowMs += MINUTE_MS;
  await Promise.all([next.tell(), other.tell()]);
  expect(desk.told.map(({ type, data }) => [type, data.length])).toEqual([
    ["error", 1],
    ["performance", 1],
  ]);
});

test("what the desk can never take is dropped, and an older desk is asked no more than that", async () => {
  const noticed = page();
  noticed.failed(fault());
  desk.refusal = { status: 404, body: { code: "not_found" } };
  await noticed.tell();
  desk.refusal = null;
  phone.nowMs += MINUTE_MS;
  await noticed.tell();
  expect(desk.told).toEqual([]);
});

test("more than is kept drops the oldest, and one that repeats does not drive out others", async () => {
  const noticed = page();
  for (let i = 0; i < FIGURES_MAX + 7; i += 1) noticed.took(figure(i));
  for (let i = 0; i < 50; i += 1) noticed.failed(fault());
  for (let i = 0; i < FAULTS_MAX; i += 1) noticed.failed(fault({ message: `another, ${"abc".repeat(i)}` }));
  phone.nowMs += MINUTE_MS;
  await noticed.tell();
  const told = (type: string) => desk.told.filter((one) => one.type === type).flatMap(({ data }) => data);
  expect(told("performance").map(({ duration }) => duration)).toEqual(
    Array.from({ length: FIGURES_MAX }, (_, i) => i + 7),
  );
  expect(told("error")).toHaveLength(FAULTS_MAX);
  expect(told("error").every(({ message }) => message !== "x is undefined")).toBe(true);
  noticed.failed(fault());
  for (let i = 0; i < 50; i += 1) noticed.failed(fault());
  phone.nowMs += MINUTE_MS;
  await noticed.tell();
  expect(told("error").slice(FAULTS_MAX)).toHaveLength(ALIKE_MAX);
});

test("no request is larger than the desk takes", async () => {
  const noticed = page();
  for (let i = 0; i < FAULTS_MAX; i += 1) noticed.failed(fault({ message: `fault ${i}`, stack: "é".repeat(3_000) }));
  for (let i = 0; i < 150; i += 1) noticed.took(figure(i));
  phone.nowMs += MINUTE_MS;
  await noticed.tell();
  const sizes = desk.told.map((body) => new TextEncoder().encode(JSON.stringify(body)).length);
  expect(Math.max(...sizes)).toBeLessThan(64 * 1024);
  expect(Math.max(...desk.told.map(({ data }) => data.length))).toBeLessThanOrEqual(100);
  expect(desk.told.flatMap(({ data }) => data)).toHaveLength(FAULTS_MAX + 150);
});

test("before the phone belongs to a show nothing is told, and what another show's page noticed stays its own", async () => {
  const nobody = page(new MemoryShelf(), null);
  nobody.failed(fault());
  await nobody.tell();
  page(phone.shelf, "another").failed(fault());
  await page().tell();
  expect(desk.told).toEqual([]);
});

test("what stands on the shelf and is none of ours is no reason to fail", async () => {
  phone.shelf.write(`noticed.${INSTALLATION}`, '{"figures":');
  const noticed = page();
  noticed.failed(fault());
  await noticed.tell();
  expect(desk.told).toHaveLength(1);
});
