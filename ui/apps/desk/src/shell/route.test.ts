import { expect, test } from "vitest";

import { parseRoute } from "./route.ts";

test.each([
  ["", "overview", ""],
  ["#/", "overview", ""],
  ["#/entries?q=104", "entries", ""],
  ["#/needs-checking/0198", "checks", "0198"],
  ["#/import", "import", ""],
  ["#/open/a_b-c", "open", "a_b-c"],
  ["#/no/such/page", "overview", ""],
])("%j is %s", (hash, page, rest) => {
  expect(parseRoute(hash)).toMatchObject({ page, rest });
});

test("the search comes with the address", () => {
  expect(parseRoute("#/entries?q=O%27Hara").query.get("q")).toBe("O'Hara");
});
