// The typed client: paths, bodies and answers come from the OpenAPI document of the desk.

import createOpenApiClient, { type Client } from "openapi-fetch";

import { Unreachable } from "./problem.ts";
import type { paths } from "./schema.ts";
import { createTransport, type TransportOptions } from "./transport.ts";

/** All calls of the desk, by method and path. */
export type Api = Client<paths>;

/** Makes a client for the desk at `baseUrl`, e.g. `http://192.168.1.20:7420`. */
export function createApi(baseUrl: string, options: TransportOptions = {}): Api {
  return createOpenApiClient<paths>({ baseUrl, fetch: createTransport(options) });
}

/** The answer of a call. Refusals never come this far: the transport has thrown them. */
export function answer<T>(result: { data?: T }): T {
  if (result.data === undefined) throw new Unreachable("not_json");
  return result.data;
}
