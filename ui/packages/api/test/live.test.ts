import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { readLive, type LiveEvent, type Send } from "../src/index.ts";
import { parseEvent, SILENCE_MAX_MS } from "../src/live.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream whose chunks the test sends; it ends when its request is aborted. */
function stream() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const seen: Request[] = [];
  const send: Send = async (request, { signal }) => {
    seen.push(request);
    const body = new ReadableStream<Uint8Array>({
      start: (started) => {
        controller = started;
        signal.addEventListener("abort", () => started.error(signal.reason));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  return {
    send,
    seen,
    write: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
    close: () => controller?.close(),
  };
}

test.each<[string, LiveEvent | null]>([
  ['event: poke\ndata: {"clock":7}', { type: "poke", data: { clock: 7 }, id: null }],
  ['event:notification\nid:42\ndata:{"seq":42}', { type: "notification", data: { seq: 42 }, id: "42" }],
  ["data: [1,\ndata: 2]", { type: "message", data: [1, 2], id: null }],
  ["event: pairings", { type: "pairings", data: undefined, id: null }],
  ["event: bye\ndata: soon", { type: "bye", data: undefined, id: null }],
  [": heartbeat", null],
  ["", null],
])("%j is read as %j", (block, event) => {
  expect(parseEvent(block)).toEqual(event);
});

test("events arrive whole, however the network cuts them", async () => {
  const { send, seen, write, close } = stream();
  const events: LiveEvent[] = [];
  const signal = new AbortController().signal;
  const onOpen = vi.fn();
  const token = () => "lsd_1";
  const ended = readLive("http://desk.test", { send, token, signal, onOpen, onEvent: (event) => events.push(event) });
  await vi.waitFor(() => expect(onOpen).toHaveBeenCalledOnce());
  write("event: po");
  write('ke\r\ndata: {"clock":1}\r\n\r\n: beat\n\nevent: poke\nda');
  write('ta: {"clock":2}\n\n');
  close();
  await ended;
  expect(events.map((event) => event.data)).toEqual([{ clock: 1 }, { clock: 2 }]);
  expect(seen[0]?.headers.get("authorization")).toBe("Bearer lsd_1");
});

test("a stream that has gone silent ends with an error", async () => {
  const { send } = stream();
  const signal = new AbortController().signal;
  const onOpen = vi.fn();
  const ended = expect(
    readLive("http://desk.test", { send, signal, onOpen, onEvent: () => undefined }),
  ).rejects.toThrow();
  await vi.waitFor(() => expect(onOpen).toHaveBeenCalledOnce());
  await vi.advanceTimersByTimeAsync(SILENCE_MAX_MS);
  await ended;
});

test("the reader can end its stream without an error", async () => {
  const { send } = stream();
  const controller = new AbortController();
  const onOpen = vi.fn();
  const ended = readLive("http://desk.test", { send, signal: controller.signal, onOpen, onEvent: () => undefined });
  await vi.waitFor(() => expect(onOpen).toHaveBeenCalledOnce());
  controller.abort();
  await expect(ended).resolves.toBeUndefined();
});

test("a refused stream and somebody else's page are errors", async () => {
  const signal = new AbortController().signal;
  const refused = async () => new Response("{}", { status: 401, headers: { "content-type": "application/json" } });
  await expect(readLive("http://desk.test", { send: refused, signal, onEvent: () => undefined })).rejects.toMatchObject(
    {
      status: 401,
    },
  );
  const portal = async () => new Response("<html>", { headers: { "content-type": "text/html" } });
  await expect(readLive("http://desk.test", { send: portal, signal, onEvent: () => undefined })).rejects.toMatchObject({
    reason: "not_json",
  });
});
