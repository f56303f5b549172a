// The two codes a phone scans. The Wi-Fi's name and password stay on this computer.

import { createContext } from "svelte";

import type { DeskApi, FunctionName, JoinCode, PairingMode } from "../../data/desk-api.ts";
import { errorText } from "../../data/error-text.ts";

const KEY = "showdesk.wifi";

export class Connect {
  readonly api: DeskApi;
  /** Whether the large codes are shown. */
  open = $state(false);
  ssid = $state("");
  password = $state("");
  wifiSvg = $state.raw<string | undefined>(undefined);
  /** The network that the drawn code belongs to. */
  wifiName = $state<string | undefined>(undefined);
  job = $state<FunctionName>("checkin");
  mode = $state<PairingMode>("single");
  code = $state.raw<JoinCode | undefined>(undefined);
  busy = $state(false);
  wifiError = $state<string | undefined>(undefined);
  codeError = $state<string | undefined>(undefined);

  constructor(api: DeskApi) {
    this.api = api;
    const stored = readWifi();
    this.ssid = stored.ssid;
    this.password = stored.password;
    if (stored.ssid !== "") void this.drawWifi();
  }

  async drawWifi(): Promise<void> {
    const ssid = this.ssid.trim();
    if (ssid === "") return;
    try {
      this.wifiSvg = await this.api.wifiQr(ssid, this.password);
      this.wifiName = ssid;
      this.wifiError = undefined;
      localStorage.setItem(KEY, JSON.stringify({ ssid, password: this.password }));
    } catch (error) {
      this.wifiError = errorText(error);
    }
  }

  async makeCode(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      this.code = await this.api.openPairing([this.job], this.mode);
      this.codeError = undefined;
    } catch (error) {
      this.codeError = errorText(error);
    } finally {
      this.busy = false;
    }
  }

  isExpired(now: number): boolean {
    return this.code !== undefined && Date.parse(this.code.code_expires_at) <= now;
  }
}

function readWifi(): { ssid: string; password: string } {
  const empty = { ssid: "", password: "" };
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (typeof stored !== "object" || stored === null) return empty;
    const text = (key: string) => {
      const found: unknown = Reflect.get(stored, key);
      return typeof found === "string" ? found : "";
    };
    return { ssid: text("ssid"), password: text("password") };
  } catch {
    return empty;
  }
}

export const [getConnect, setConnect] = createContext<Connect>();
