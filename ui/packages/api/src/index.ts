// Everything that crosses the network between a page and the desk. The only package that may use fetch.

export { backoffMs, type Backoff } from "./backoff.ts";
export { answer, createApi, type Api, type BaseUrl } from "./client.ts";
export { readFile } from "./file.ts";
export { readLive, type LiveEvent, type LiveOptions } from "./live.ts";
export { ApiProblem, Unreachable, type Retry, type UnreachableReason } from "./problem.ts";
export type * from "./schema.ts";
export { ANSWER_TIMEOUT_MS, createTransport, type Send, type TransportOptions } from "./transport.ts";
