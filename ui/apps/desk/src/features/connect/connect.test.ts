import { beforeEach, expect, test, vi } from "vitest";

import type { DeskApi, WaitingPairing } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { Connect } from "./connect.svelte.ts";

beforeEach(() => localStorage.clear());

const HOUR_MS = 3_600_000;

function connect(change: Partial<DeskApi> = {}): Connect {
  const code = {
    code: "abc",
    url: "http://192.168.1.20:7420/#/join/abc",
    qr_svg: "<svg/>",
    code_expires_at: new Date(Date.now() + HOUR_MS).toISOString(),
  };
  return new Connect(fakeApi([], { openPairing: () => Promise.resolve(code), ...change }));
}

const asking = (claimed_at: string): WaitingPairing => ({
  pairing_id: "p",
  check_number: "4821",
  claimed_at,
  device_name: "Rosa",
  functions: ["gate"],
  platform: null,
});

test("a code is for the jobs that were chosen, and one is always chosen", async () => {
  const openPairing = vi.fn(connect().api.openPairing);
  const codes = connect({ openPairing });
  codes.toggleJob("scale");
  codes.toggleJob("checkin");
  codes.toggleJob("scale");
  expect(codes.jobs).toEqual(["scale"]);
  await codes.makeCode();
  expect(openPairing).toHaveBeenCalledWith(["scale"], "open");
  expect(codes.validCode(Date.now())?.jobs).toEqual(["scale"]);
});

test("a code runs out", async () => {
  const codes = connect();
  await codes.makeCode();
  expect(codes.validCode(Date.now())).toBeDefined();
  expect(codes.validCode(Date.now() + HOUR_MS)).toBeUndefined();
});

test("the code for one phone is used up by the phone that asks, the one for any phone is not", async () => {
  const later = () => new Date(Date.now() + 1000).toISOString();
  const single = connect();
  single.mode = "single";
  await single.makeCode();
  single.noteRequests([asking("2026-01-01T00:00:00.000Z")]);
  expect(single.used).toBe(false);
  single.noteRequests([asking(later())]);
  expect(single.validCode(Date.now())).toBeUndefined();
  await single.makeCode();
  expect(single.validCode(Date.now())).toBeDefined();

  const open = connect();
  await open.makeCode();
  open.noteRequests([asking(later())]);
  expect(open.validCode(Date.now())).toBeDefined();
});

test("a poster is for any phone", async () => {
  const codes = connect();
  codes.mode = "single";
  await codes.makePosterCode();
  expect(codes.validCode(Date.now())?.mode).toBe("open");
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
