// The typed client: paths, bodies and answers come from the OpenAPI document of the desk.

import createOpenApiClient, { type Client } from "openapi-fetch";

import { Unreachable } from "./problem.ts";
import type { paths } from "./schema.ts";
import { createTransport, type TransportOptions } from "./transport.ts";

/** All calls of the desk, by method and path. */
export type Api = Client<paths>;

/** Where the desk is, e.g. `http://192.168.1.20:7420`; asked anew for each call, because a laptop moves. */
export type BaseUrl = string | (() => string);

/** Makes a client for the desk at `baseUrl`. */
export function createApi(baseUrl: BaseUrl, options: TransportOptions = {}): Api {
  const fetch = createTransport(options);
  if (typeof baseUrl === "string") return createOpenApiClient<paths>({ baseUrl, fetch });
  const baseUrlNow = baseUrl;
  class RequestThere extends Request {
    constructor(path: RequestInfo | URL, init?: RequestInit) {
      super(`${baseUrlNow()}${String(path)}`, init);
    }
  }
  return createOpenApiClient<paths>({ Request: RequestThere, fetch });
}

/** The answer of a call. Refusals never come this far: the transport has thrown them. */
export function answer<T>(result: { data?: T }): T {
  if (result.data === undefined) throw new Unreachable("not_json");
  return result.data;
}
