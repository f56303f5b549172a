import { expect, test, vi } from "vitest";

import { answer, ApiProblem, backoffMs, createApi, Unreachable, type Send } from "../src/index.ts";

const PING = { installation_id: "i", name: "Fair", version: "0.1.0", epoch: "e", server_time: "", addresses: [] };

type Respond = (request: Request, signal: AbortSignal) => Response | Promise<Response>;

function desk(respond: Respond, token: string | null = "lsd_1") {
  const send: Send = async (request, { signal }) => respond(request, signal);
  return createApi("http://desk.test", { send, token: () => token, timeoutMs: 50 });
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

/** A laptop that takes the call and never answers. */
const never: Respond = (_, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

async function failure(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("a call carries the bearer token and gives the answer", async () => {
  const seen: (string | null)[] = [];
  const api = desk((request) => {
    seen.push(request.headers.get("authorization"));
    return json(200, { items: [] });
  });
  expect(answer(await api.GET("/api/v1/me/conflicts"))).toEqual({ items: [] });
  expect(seen).toEqual(["Bearer lsd_1"]);
});

test("without a token no header is sent", async () => {
  const seen: (string | null)[] = [];
  const api = desk((request) => {
    seen.push(request.headers.get("authorization"));
    return json(200, { items: [] });
  }, null);
  await api.GET("/api/v1/me/conflicts");
  expect(seen).toEqual([null]);
});

test("what every request tells stands beside the request's own words, and not before strangers", async () => {
  const seen: (string | null)[][] = [];
  const took: number[] = [];
  const send: Send = (request) => {
    seen.push([request.headers.get("x-client-pending"), request.headers.get("x-client-took-ms")]);
    return Promise.resolve(json(200, request.url.endsWith("/ping") ? PING : { items: [] }));
  };
  const headers = () => ({ "X-Client-Pending": "3", "X-Client-Took-Ms": "80" });
  const api = createApi("http://desk.test", { send, headers, onTook: (ms) => took.push(ms) });
  await api.GET("/api/v1/me/conflicts");
  await api.GET("/api/v1/me/conflicts", { headers: { "X-Client-Pending": "0" } });
  await api.GET("/api/v1/ping");
  expect(seen).toEqual([
    ["3", "80"],
    ["0", "80"],
    [null, null],
  ]);
  expect(took).toHaveLength(3);
  expect(took.every((ms) => ms >= 0)).toBe(true);
});

test("who only asks who answers does not show the token", async () => {
  const api = desk((request) => json(200, { ...PING, name: String(request.headers.get("authorization")) }));
  expect(answer(await api.GET("/api/v1/ping")).name).toBe("null");
});

test("each call goes to where the desk is now", async () => {
  const asked: string[] = [];
  let address = "http://192.168.1.20:7420";
  const send: Send = async (request) => {
    asked.push(`${request.method} ${request.url} ${await request.text()}`);
    return json(200, { results: [] });
  };
  const api = createApi(() => address, { send });
  await api.GET("/api/v1/sync/pull", { params: { query: { limit: 5 } } });
  address = "http://10.0.0.7:7420";
  await api.POST("/api/v1/sync/ops/status", { body: { op_ids: [] } });
  expect(asked).toEqual([
    "GET http://192.168.1.20:7420/api/v1/sync/pull?limit=5 ",
    'POST http://10.0.0.7:7420/api/v1/sync/ops/status {"op_ids":[]}',
  ]);
});

test("a body is sent as JSON", async () => {
  const seen: unknown[] = [];
  const api = desk(async (request) => {
    seen.push(request.headers.get("content-type"), await request.json());
    return json(200, { results: [] });
  });
  await api.POST("/api/v1/sync/ops/status", { body: { op_ids: ["a"] } });
  expect(seen).toEqual(["application/json", { op_ids: ["a"] }]);
});

test("a refusal is a problem with its code, wait and epoch", async () => {
  const body = { code: "epoch_mismatch", detail: "Restored.", retry: "after_fix", epoch: "e2", request_id: "r1" };
  const api = desk(() => json(409, body, { "content-type": "application/problem+json", "retry-after": "2" }));
  const problem = await failure(api.GET("/api/v1/ping"));
  expect(problem).toBeInstanceOf(ApiProblem);
  expect(problem).toMatchObject({
    status: 409,
    code: "epoch_mismatch",
    detail: "Restored.",
    retry: "after_fix",
    more: { epoch: "e2", retryAfterMs: 2_000, requestId: "r1" },
  });
});

test.each([
  [{ "retry-after": "7" }, 7_000],
  [{ "retry-after": "0.5" }, 500],
  [{ "retry-after": "-7" }, null],
  [{ "retry-after": "soon" }, null],
  [{ "retry-after": "Sun, 22 Nov 2026 09:00:30 GMT", date: "Sun, 22 Nov 2026 09:00:00 GMT" }, 30_000],
  [{ "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", date: "Sun, 22 Nov 2026 09:00:30 GMT" }, 0],
  [{ "retry-after": "Sun, 22 Nov 2026 09:00:30 GMT" }, null],
])("the wait in %j is %j ms", async (headers, waitMs) => {
  const api = desk(() => json(503, { code: "busy" }, headers));
  expect(await failure(api.GET("/api/v1/ping"))).toMatchObject({ more: { retryAfterMs: waitMs } });
});

test("a refusal without a code is still a problem", async () => {
  const api = desk(() => json(503, { oops: true }));
  expect(await failure(api.GET("/api/v1/ping"))).toMatchObject({ status: 503, code: "http_503", retry: "later" });
});

test.each([
  ["a captive portal's page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ["a page that says it is JSON", () => new Response("<html>", { headers: { "content-type": "application/json" } })],
  ["an answer without a type", () => new Response("{}", { headers: { "content-type": "" } })],
])("%s is not the desk", async (_, respond) => {
  expect(await failure(desk(respond).GET("/api/v1/ping"))).toMatchObject({ name: "Unreachable", reason: "not_json" });
});

test("a dead laptop is unreachable", async () => {
  const api = desk(() => Promise.reject(new TypeError("refused")));
  expect(await failure(api.GET("/api/v1/ping"))).toMatchObject({ name: "Unreachable", reason: "network" });
});

test("a laptop that never answers is given up", async () => {
  expect(await failure(desk(never).GET("/api/v1/ping"))).toMatchObject({ name: "Unreachable", reason: "timeout" });
});

test("the caller can end a call", async () => {
  const controller = new AbortController();
  const call = failure(desk(never).GET("/api/v1/ping", { signal: controller.signal }));
  controller.abort();
  expect(await call).toBeInstanceOf(Unreachable);
});

test("waits double up to a bound, with full jitter", () => {
  const backoff = { firstMs: 1_000, mostMs: 15_000 };
  expect([1, 2, 3, 4, 5, 50].map((failures) => backoffMs(failures, backoff, () => 1))).toEqual([
    1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
  ]);
  expect(backoffMs(5, backoff, () => 0)).toBe(0);
  const random = vi.fn(() => 0.5);
  expect(backoffMs(2, backoff, random)).toBe(1_000);
});
