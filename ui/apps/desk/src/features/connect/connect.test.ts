import { beforeEach, expect, test, vi } from "vitest";

import type { DeskApi, WaitingPairing } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { Connect } from "./connect.svelte.ts";

beforeEach(() => localStorage.clear());

const HOUR_MS = 3_600_000;

function connect(change: Partial<DeskApi> = {}): Connect {
  const code = {
    pairing_id: "code-1",
    code: "abc",
    typed_code: "K7Q2M8XR",
    typed_code_expires_at: new Date(Date.now() + 120_000).toISOString(),
    url: "http://192.168.1.20:7420/#/join/abc",
    qr_svg: "<svg/>",
    code_expires_at: new Date(Date.now() + HOUR_MS).toISOString(),
  };
  return new Connect(fakeApi([], { openPairing: () => Promise.resolve(code), ...change }));
}

const asking = (claimed_at: string): WaitingPairing => ({
  pairing_id: "p",
  code_id: "code-1",
  scope: {},
  check_number: "4821",
  claimed_at,
  device_name: "Rosa",
  functions: ["gate"],
  platform: null,
});

test("a code is for the jobs that were chosen, and one is always chosen", async () => {
  const openPairing = vi.fn(connect().api.openPairing);
  const codes = connect({ openPairing });
  codes.chooseJobs(["scale"]);
  codes.chooseJobs([]);
  expect(codes.jobs).toEqual(["scale"]);
  await codes.makeCode("America/Chicago");
  expect(openPairing).toHaveBeenCalledWith({ functions: ["scale"], mode: "open" });
  expect(codes.validCode(Date.now())?.jobs).toEqual(["scale"]);
});

test("a code runs out", async () => {
  const codes = connect();
  await codes.makeCode("America/Chicago");
  expect(codes.validCode(Date.now())).toBeDefined();
  expect(codes.validCode(Date.now() + HOUR_MS)).toBeUndefined();
});

test("the code for one phone is used up by the phone that asks, the one for any phone is not", async () => {
  const later = () => new Date(Date.now() + 1000).toISOString();
  const single = connect();
  single.kind = "single";
  await single.makeCode("America/Chicago");
  single.noteRequests([asking("2026-01-01T00:00:00.000Z")]);
  expect(single.used).toBe(false);
  single.noteRequests([asking(later())]);
  expect(single.validCode(Date.now())).toBeUndefined();
  await single.makeCode("America/Chicago");
  expect(single.validCode(Date.now())).toBeDefined();

  const open = connect();
  await open.makeCode("America/Chicago");
  open.noteRequests([asking(later())]);
  expect(open.validCode(Date.now())).toBeDefined();
});

test("a code says where, how long its phones may stay, and for how long it is good", async () => {
  const openPairing = vi.fn(connect().api.openPairing);
  const codes = connect({ openPairing });
  codes.kind = "day";
  codes.scope = { ring_ids: ["r-1"] };
  codes.pass = { kind: "at", local: "2026-08-15T18:00" };
  await codes.makeCode("America/Chicago");
  codes.pass = { kind: "never", local: "" };
  await codes.makeCode("America/Chicago");
  expect(openPairing.mock.calls.map(([wanted]) => wanted)).toEqual([
    {
      functions: ["checkin"],
      mode: "open",
      scope: { ring_ids: ["r-1"] },
      device_expires_at: "2026-08-15T23:00:00.000Z",
      expires_in_s: 86_400,
    },
    expect.objectContaining({ device_expires_at: null }),
  ]);
});

test("a fresh short code takes the place of the one before", async () => {
  const fresh = { typed_code: "00000001", typed_code_expires_at: new Date(Date.now() + 120_000).toISOString() };
  const codes = connect({ freshTypedCode: () => Promise.resolve(fresh) });
  await codes.makeCode("America/Chicago");
  await codes.freshTypedCode();
  expect(codes.code).toMatchObject({ ...fresh, code: "abc" });
});

test("a closed code is shown no more; one that could not be closed still is", async () => {
  const closeCode = vi.fn(() => Promise.reject(new Error("away")));
  const codes = connect({ closeCode });
  await codes.makeCode("America/Chicago");
  expect(await codes.closeCode("code-1")).toBe(false);
  expect(codes.closeError).toBeDefined();
  expect(codes.validCode(Date.now())).toBeDefined();
  closeCode.mockImplementation(() => Promise.resolve() as Promise<never>);
  expect(await codes.closeCode("code-1")).toBe(true);
  expect(codes.closeError).toBeUndefined();
  expect(codes.validCode(Date.now())).toBeUndefined();
});

test("a poster is for any phone, and its phones leave by the show's clock", async () => {
  const openPairing = vi.fn(connect().api.openPairing);
  const codes = connect({ openPairing });
  codes.kind = "single";
  codes.pass = { kind: "at", local: "2026-08-15T18:00" };
  await codes.makePosterCode("open", "America/Chicago");
  expect(codes.validCode(Date.now())?.mode).toBe("open");
  expect(openPairing).toHaveBeenCalledWith(expect.objectContaining({ device_expires_at: "2026-08-15T23:00:00.000Z" }));
});

test("the Wi-Fi is drawn again after a restart, and a fault is told", async () => {
  const first = connect({ wifiQr: () => Promise.resolve("<svg/>") });
  first.ssid = " Showbarn ";
  expect(await first.drawWifi()).toBe(true);
  expect(first.wifiName).toBe("Showbarn");
  const wifiQr = vi.fn(() => Promise.reject(new Error("away")));
  const again = connect({ wifiQr });
  expect(wifiQr).toHaveBeenCalledWith("Showbarn", "");
  expect(await again.drawWifi()).toBe(false);
  expect(again.wifiError).toBeDefined();
});
