// The desk's event stream, read with fetch because EventSource cannot send a bearer header.
//
// A stream only wakes its reader and never carries rows, so a lost one delays and loses nothing.

import { deadline } from "./deadline.ts";
import { ApiProblem, Unreachable } from "./problem.ts";
import { authorize, browserSend, type TransportOptions } from "./transport.ts";

/** One event of the stream. */
export interface LiveEvent {
  /** poke, conflict, notification, pairings, bye. */
  readonly type: string;
  /** Its JSON, parsed; undefined if there was none. */
  readonly data: unknown;
  /** Only notifications have one. */
  readonly id: string | null;
}

/** How a stream is read. */
export interface LiveOptions extends TransportOptions {
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** The last notification seen, to have later ones replayed. */
  readonly lastEventId?: string | null;
  /** The stream is open. */
  readonly onOpen?: () => void;
  /** Something happened. */
  readonly onEvent: (event: LiveEvent) => void;
}

/** The desk beats every 15 s; a stream silent for longer than this is dead. */
export const SILENCE_MAX_MS = 40_000;

const PATH = "/api/v1/live";
const BUFFER_CHARS_MAX = 1_000_000;

/** Reads one stream to its end. Resolves when the desk closed it or `signal` ended it; throws if it could not be opened. */
export async function readLive(baseUrl: string, options: LiveOptions): Promise<void> {
  const silence = deadline(options.signal, SILENCE_MAX_MS);
  try {
    const body = await open(baseUrl, options, silence.signal);
    options.onOpen?.();
    await readEvents(body, () => silence.extend(), options.onEvent);
  } catch (error) {
    if (options.signal.aborted) return;
    throw error;
  } finally {
    silence.clear();
  }
}

async function open(baseUrl: string, options: LiveOptions, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const headers = new Headers({ accept: "text/event-stream" });
  if (options.lastEventId) headers.set("last-event-id", options.lastEventId);
  authorize(headers, PATH, options);
  const request = new Request(`${baseUrl}${PATH}`, { headers, cache: "no-store" });
  let response: Response;
  try {
    response = await (options.send ?? browserSend)(request, { signal });
  } catch (cause) {
    throw new Unreachable("network", { cause });
  }
  if (!response.ok) {
    const none = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
    throw new ApiProblem(response.status, `http_${response.status}`, "The desk refused the stream.", "later", none);
  }
  const isStream = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
  if (!isStream || response.body === null) throw new Unreachable("not_json");
  return response.body;
}

async function readEvents(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
  onEvent: (event: LiveEvent) => void,
): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  // Ends with the stream: the desk closes it, the signal aborts it, or silence does.
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    buffer += decoder.decode(value, { stream: true }).replaceAll("\r\n", "\n");
    if (buffer.length > BUFFER_CHARS_MAX) throw new Unreachable("not_json");
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== null) onEvent(event);
    }
  }
}

/** Reads one block of the stream; comments (heartbeats) give null. */
export function parseEvent(block: string): LiveEvent | null {
  let type = "message";
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") type = value;
    else if (name === "id") id = value;
    else if (name === "data") data.push(value);
  }
  if (type === "message" && data.length === 0) return null;
  return { type, data: jsonOf(data.join("\n")), id };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
