import { expect, test } from "vitest";

import { fakeApi } from "../testing/fake-api.ts";
import { Saving } from "./saving.svelte.ts";

test("a call that writes is busy until it is answered, then it has a moment", async () => {
  let answer = () => {};
  const saving = new Saving();
  const api = saving.watch(fakeApi([], { approve: () => new Promise((resolve) => (answer = resolve)) }));
  const running = api.approve("p-1");
  expect(saving.busy).toBe(true);
  expect(saving.lastAt).toBeUndefined();
  answer();
  await running;
  expect(saving.busy).toBe(false);
  expect(saving.lastAt).toBeTypeOf("number");
});

test("a call that failed kept nothing", async () => {
  const saving = new Saving();
  const api = saving.watch(fakeApi([], { approve: () => Promise.reject(new Error("away")) }));
  await expect(api.approve("p-1")).rejects.toThrow("away");
  expect(saving.busy).toBe(false);
  expect(saving.lastAt).toBeUndefined();
});

test("a code for phones, and a record that is saved, are kept too", async () => {
  const saving = new Saving();
  const api = saving.watch(fakeApi([], { auditFile: () => Promise.resolve(new Blob([])) }));
  await api.auditFile({});
  expect(saving.lastAt).toBeTypeOf("number");
  const running = api.openPairing({ functions: ["gate"], mode: "open" });
  expect(saving.busy).toBe(true);
  await expect(running).rejects.toThrow();
});

test("reading is not saving", async () => {
  const saving = new Saving();
  await saving.watch(fakeApi([])).overview();
  expect(saving.lastAt).toBeUndefined();
});
