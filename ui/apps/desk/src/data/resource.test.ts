import { expect, test } from "vitest";

import { Resource } from "./resource.svelte.ts";

test("however often it is asked, one question runs and one follows", async () => {
  let asked = 0;
  const resource = new Resource(() => Promise.resolve(++asked));
  await Promise.all([resource.refresh(), resource.refresh(), resource.refresh()]);
  expect(asked).toBe(2);
  expect(resource.data).toBe(2);
});

test("the last good answer stays while the next one fails", async () => {
  let fails = false;
  const resource = new Resource(() => (fails ? Promise.reject(new Error("away")) : Promise.resolve("good")));
  await resource.refresh();
  fails = true;
  await resource.refresh();
  expect(resource.data).toBe("good");
  expect(resource.error).toBeInstanceOf(Error);
  fails = false;
  await resource.refresh();
  expect(resource.error).toBeUndefined();
});
