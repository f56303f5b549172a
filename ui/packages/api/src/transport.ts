// The one way to the network: time-outs, the bearer header, and a check that the desk itself answered.
//
// A captive portal answers with a page, a dead laptop not at all; both become `Unreachable`,
// so that nobody takes them for the desk's word.

import { deadline } from "./deadline.ts";
import { ApiProblem, problemFrom, Unreachable } from "./problem.ts";

/** How requests are sent. */
export interface TransportOptions {
  /** The bearer token of the moment; none before joining. */
  readonly token?: () => string | null;
  /** Headers that every request with a token carries, such as who sits at the desk; the request's own win. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Longest wait for an answer. */
  readonly timeoutMs?: number;
  /** Hears how long a request took until its answer was there. */
  readonly onTook?: (tookMs: number) => void;
  /** What sends; tests pass their own. */
  readonly send?: Send;
}

/** `fetch`, as far as it is used here. */
export type Send = (request: Request, init: { readonly signal: AbortSignal }) => Promise<Response>;

/** The browser's own. Not passed as a value: it must be called on its window. */
export const browserSend: Send = (request, init) => fetch(request, init);

/** Longest wait for an answer: the desk gives up at 15 s itself. */
export const ANSWER_TIMEOUT_MS = 20_000;

const NO_CONTENT = 204;

/** A `fetch` that throws `Unreachable` or `ApiProblem` instead of giving back a refused answer. */
export function createTransport(options: TransportOptions): (request: Request) => Promise<Response> {
  const send = options.send ?? browserSend;
  return async (request) => {
    authorize(request.headers, new URL(request.url).pathname, options);
    const began = performance.now();
    const limit = deadline(request.signal, options.timeoutMs ?? ANSWER_TIMEOUT_MS);
    try {
      const answered = await exchange(send, request, limit.signal);
      options.onTook?.(performance.now() - began);
      return answered;
    } catch (error) {
      if (error instanceof ApiProblem || error instanceof Unreachable) throw error;
      throw new Unreachable(limit.expired() ? "timeout" : "network", { cause: error });
    } finally {
      limit.clear();
    }
  };
}

/** Calls that need no token. Whoever answers them may be somebody else, who must not learn it. */
const OPEN_PATHS = /^\/api\/v1\/(ping$|pairing\/)/;

/** Adds the caller's own headers and, where the call needs it, the token. */
export function authorize(headers: Headers, path: string, options: TransportOptions): void {
  if (OPEN_PATHS.test(path)) return;
  for (const [name, value] of Object.entries(options.headers?.() ?? {})) {
    if (!headers.has(name)) headers.set(name, value);
  }
  const token = options.token?.() ?? null;
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
}

async function exchange(send: Send, request: Request, signal: AbortSignal): Promise<Response> {
  const response = await send(request, { signal });
  if (response.status === NO_CONTENT) return response;
  // The body is read here: the time limit covers it too, and a cut connection must not look like bad JSON.
  const body = await response.text();
  const json = parseJson(response, body);
  if (!response.ok) throw problemFrom(response.status, response.headers, json);
  return new Response(body, { status: response.status, headers: response.headers });
}

function parseJson(response: Response, body: string): unknown {
  const type = response.headers.get("content-type") ?? "";
  if (!/^application\/([a-z.-]+\+)?json\b/i.test(type)) throw new Unreachable("not_json");
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new Unreachable("not_json", { cause });
  }
}
