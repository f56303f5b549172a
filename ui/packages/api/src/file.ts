// An answer that is a file for people, not JSON: such as the record of decisions as a spreadsheet.

import { deadline } from "./deadline.ts";
import { ApiProblem, problemFrom, Unreachable } from "./problem.ts";
import { ANSWER_TIMEOUT_MS, authorize, browserSend, type TransportOptions } from "./transport.ts";

/** Fetches the file at `url`, which must be of this type; refusals and silence are thrown as for any other call. */
export async function readFile(url: string, type: string, options: TransportOptions): Promise<Blob> {
  const request = new Request(url, { headers: { accept: type } });
  authorize(request.headers, new URL(url).pathname, options);
  const limit = deadline(request.signal, options.timeoutMs ?? ANSWER_TIMEOUT_MS);
  try {
    const response = await (options.send ?? browserSend)(request, { signal: limit.signal });
    if (!response.ok) throw problemFrom(response.status, response.headers, await jsonOf(response));
    // A sign-in page of the Wi-Fi answers 200 as well.
    if (!(response.headers.get("content-type") ?? "").startsWith(type)) throw new Unreachable("not_json");
    return await response.blob();
  } catch (error) {
    if (error instanceof ApiProblem || error instanceof Unreachable) throw error;
    throw new Unreachable(limit.expired() ? "timeout" : "network", { cause: error });
  } finally {
    limit.clear();
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new Unreachable("not_json", { cause });
  }
}
