import { ApiProblem } from "@showdesk/api";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { DeskApi, NetworkTestState } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { ASK_MS, PATIENCE_MS, SILENT_MAX, TestRun } from "./network-test.svelte.ts";
import { agentText, fingerprintGroups, systemOf } from "./system.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TEST = { id: "t-1", url: "http://192.168.1.20:7420/test/abc", qr_svg: "<svg/>", expires_at: "" };
const arrival = (this_laptop: boolean) => ({ at: "", address: "192.168.1.31", agent: "iPhone", this_laptop });

function run(change: Partial<DeskApi> = {}) {
  let state: NetworkTestState = { status: "waiting", expires_at: "", arrivals: [] };
  const test = new TestRun(
    fakeApi([], {
      startNetworkTest: () => Promise.resolve(TEST),
      networkTest: () => Promise.resolve(state),
      ...change,
    }),
  );
  const set = async (next: Partial<NetworkTestState>) => {
    state = { ...state, ...next };
    await vi.advanceTimersByTimeAsync(ASK_MS);
  };
  return { test, set };
}

test("a phone that gets through is told at once, and the causes never show", async () => {
  const { test: trial, set } = run();
  expect(trial.phase).toBe("starting");
  await trial.start();
  expect(trial.phase).toBe("waiting");
  await set({ status: "arrived", arrivals: [arrival(false)] });
  expect(trial.phase).toBe("arrived");
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect(trial.phase).toBe("arrived");
  trial.stop();
});

test("after twenty seconds without a phone the causes are told, and one that comes later still counts", async () => {
  const { test: trial, set } = run();
  await trial.start();
  await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
  expect(trial.phase).toBe("waiting");
  await vi.advanceTimersByTimeAsync(1);
  expect(trial.phase).toBe("stuck");
  await set({ status: "arrived", arrivals: [arrival(false)] });
  expect(trial.phase).toBe("arrived");
  trial.stop();
});

test("the laptop's own browser proves nothing", async () => {
  const { test: trial, set } = run();
  await trial.start();
  await set({ status: "arrived", arrivals: [arrival(true)] });
  expect(trial.phase).toBe("self");
  await set({ arrivals: [arrival(true), arrival(false)] });
  expect(trial.phase).toBe("arrived");
  trial.stop();
});

test("a test that cannot start says so, and a new one begins anew", async () => {
  const startNetworkTest = vi.fn<DeskApi["startNetworkTest"]>(() => Promise.reject(new Error("away")));
  const { test: trial } = run({ startNetworkTest });
  await trial.start();
  expect(trial.phase).toBe("failed");
  startNetworkTest.mockImplementation(() => Promise.resolve(TEST));
  await trial.start();
  expect(trial.phase).toBe("waiting");
  trial.stop();
});

test("nothing is asked after it was closed or is over", async () => {
  const networkTest = vi.fn<DeskApi["networkTest"]>(() =>
    Promise.resolve({ status: "over", expires_at: "", arrivals: [] }),
  );
  const { test: trial } = run({ networkTest });
  await trial.start();
  await vi.advanceTimersByTimeAsync(ASK_MS * 3);
  expect(networkTest).toHaveBeenCalledTimes(1);
  expect(trial.phase).toBe("over");
  trial.stop();
});

test("a desk that stops answering is named, not the Wi-Fi, and a phone that came meanwhile still counts", async () => {
  const networkTest = vi.fn<DeskApi["networkTest"]>(() => Promise.reject(new Error("away")));
  const { test: trial } = run({ networkTest });
  await trial.start();
  await vi.advanceTimersByTimeAsync(ASK_MS * (SILENT_MAX - 1));
  expect(trial.phase).toBe("silent");
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect(trial.phase).toBe("silent");
  networkTest.mockImplementation(() =>
    Promise.resolve({ status: "arrived", expires_at: "", arrivals: [arrival(false)] }),
  );
  await vi.advanceTimersByTimeAsync(ASK_MS);
  expect(trial.phase).toBe("arrived");
  trial.stop();
});

test("a test that the desk no longer knows is over", async () => {
  const more = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
  const gone = new ApiProblem(404, "not_found", "there is no such test", "never", more);
  const networkTest = vi.fn<DeskApi["networkTest"]>(() => Promise.reject(gone));
  const { test: trial } = run({ networkTest });
  await trial.start();
  await vi.advanceTimersByTimeAsync(ASK_MS * 3);
  expect(trial.phase).toBe("over");
  expect(networkTest).toHaveBeenCalledTimes(1);
  trial.stop();
});

test.each([
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows", "Computer"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "mac", "Computer"],
  ["Mozilla/5.0 (X11; Linux x86_64)", "linux", "Computer"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "unknown", "iPhone"],
  ["Mozilla/5.0 (Linux; Android 14; Pixel 8)", "unknown", "Android"],
  ["curl/8", "unknown", "A device"],
])("%s is %s, and as a visitor %s", (agent, system, visitor) => {
  expect(systemOf(agent)).toBe(system);
  expect(agentText(agent)).toBe(visitor);
});

test("a fingerprint is read in groups of four", () => {
  expect(fingerprintGroups("ab12cd34ef56")).toEqual(["AB12", "CD34", "EF56"]);
  expect(fingerprintGroups("AB12 CD34 EF56")).toEqual(["AB12", "CD34", "EF56"]);
});
