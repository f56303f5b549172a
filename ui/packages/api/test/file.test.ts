import { expect, test } from "vitest";

import { readFile, Unreachable, type Send } from "../src/index.ts";

const URL_OF_IT = "http://127.0.0.1:7421/api/v1/admin/audit.csv";

function answering(response: Response): { send: Send; asked: Request[] } {
  const asked: Request[] = [];
  return {
    asked,
    send: (request) => {
      asked.push(request);
      return Promise.resolve(response);
    },
  };
}

const read = (send: Send) => readFile(URL_OF_IT, "text/csv", { send, token: () => "lsd_t" });

test("a file comes with the token of the desk", async () => {
  const { send, asked } = answering(
    new Response("at,who\n", { headers: { "content-type": "text/csv; charset=utf-8" } }),
  );
  expect(await (await read(send)).text()).toBe("at,who\n");
  expect(asked[0]?.headers.get("authorization")).toBe("Bearer lsd_t");
});

test("a page of somebody else is no file", async () => {
  const { send } = answering(new Response("<html>", { headers: { "content-type": "text/html" } }));
  await expect(read(send)).rejects.toBeInstanceOf(Unreachable);
});

test("a refusal is told in the words of the desk", async () => {
  const body = JSON.stringify({ status: 403, code: "forbidden", detail: "only the office may", retry: "never" });
  const { send } = answering(new Response(body, { status: 403 }));
  await expect(read(send)).rejects.toMatchObject({ code: "forbidden", detail: "only the office may" });
});

test("a desk that is away is not reached", async () => {
  await expect(read(() => Promise.reject(new TypeError("network")))).rejects.toMatchObject({ reason: "network" });
});
