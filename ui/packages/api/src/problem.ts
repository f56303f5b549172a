// What went wrong between a page and the desk, in types that callers can tell apart.

import * as v from "valibot";

/** Whether sending the same again can help. */
export type Retry = "never" | "later" | "after_fix";

const Body = v.looseObject({
  code: v.string(),
  detail: v.optional(v.string()),
  title: v.optional(v.string()),
  retry: v.fallback(v.picklist(["never", "later", "after_fix"]), "later"),
  request_id: v.optional(v.string()),
  epoch: v.optional(v.string()),
  fields: v.fallback(v.record(v.string(), v.string()), {}),
});

/** The desk answered, and the answer is no (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly retry: Retry,
    readonly more: {
      /** How long to wait, if the desk said so. */
      readonly retryAfterMs: number | null;
      /** The desk's epoch, on 409 `epoch_mismatch`. */
      readonly epoch: string | null;
      /** What to name when asking for help. */
      readonly requestId: string | null;
      /** A sentence for each field that was wrong. */
      readonly fields: Readonly<Record<string, string>>;
      /** The whole body, for members that only one call has. */
      readonly body: Readonly<Record<string, unknown>>;
    },
  ) {
    super(detail);
  }
}

/**
 * Why no answer of this desk came.
 * - network: nobody answers, as far as the browser tells
 * - not_json: somebody else's page, such as the sign-in page of a Wi-Fi
 * - other_installation: another laptop
 * - untrusted: the laptop is there, and this phone does not trust its certificate
 * - clock_wrong: the laptop is there, and this phone's clock is so far off that no certificate can be good
 */
export type UnreachableReason = "network" | "timeout" | "not_json" | "other_installation" | "untrusted" | "clock_wrong";

/** No answer of this desk came: it is away, or somebody else answered in its place. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor(
    readonly reason: UnreachableReason,
    options?: ErrorOptions,
  ) {
    super(`no answer from the desk: ${reason}`, options);
  }
}

/** Reads a refused answer. The caller has checked that it is JSON. */
export function problemFrom(status: number, headers: Headers, json: unknown): ApiProblem {
  const parsed = v.safeParse(Body, json);
  const retryAfterMs = retryAfter(headers);
  if (!parsed.success) {
    const none = { retryAfterMs, epoch: null, requestId: null, fields: {}, body: {} };
    return new ApiProblem(status, `http_${status}`, `The desk answered ${status}.`, retryFor(status), none);
  }
  const { code, detail, title, retry, request_id, epoch, fields } = parsed.output;
  return new ApiProblem(status, code, detail ?? title ?? `The desk answered ${status}.`, retry, {
    retryAfterMs,
    epoch: epoch ?? null,
    requestId: request_id ?? null,
    fields,
    body: parsed.output,
  });
}

function retryFor(status: number): Retry {
  return status >= 500 || status === 408 || status === 429 ? "later" : "never";
}

/** `Retry-After` (RFC 9110): seconds, or a date, which is read against the answer's own clock and not the phone's. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number.parseFloat(text) * 1000;
  const waitMs = Date.parse(text) - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}
