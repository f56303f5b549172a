// The two codes a phone scans. The Wi-Fi's name and password stay on this computer.

import { createContext } from "svelte";

import type { DeskApi, FunctionName, JoinCode, PairingMode, WaitingPairing } from "../../data/desk-api.ts";
import { errorText } from "../../data/error-text.ts";

const KEY = "showdesk.wifi";

/** A code, and what it was made for. */
export type MadeCode = JoinCode & { jobs: readonly FunctionName[]; mode: PairingMode; madeAt: number };

export class Connect {
  readonly api: DeskApi;
  /** Whether the large codes are shown. */
  open = $state(false);
  ssid = $state("");
  password = $state("");
  wifiSvg = $state.raw<string | undefined>(undefined);
  /** The network that the drawn code belongs to. */
  wifiName = $state<string | undefined>(undefined);
  /** What the next code's phones are for. */
  jobs = $state.raw<readonly FunctionName[]>(["checkin"]);
  mode = $state<PairingMode>("open");
  code = $state.raw<MadeCode | undefined>(undefined);
  /** A code for one phone that a phone has scanned. */
  used = $state(false);
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

  /** Draws the code of the network, and keeps it for the next time; false where it could not be drawn. */
  async drawWifi(): Promise<boolean> {
    const ssid = this.ssid.trim();
    if (ssid === "") return false;
    try {
      this.wifiSvg = await this.api.wifiQr(ssid, this.password);
      this.wifiName = ssid;
      this.wifiError = undefined;
      localStorage.setItem(KEY, JSON.stringify({ ssid, password: this.password }));
      return true;
    } catch (error) {
      this.wifiError = errorText(error);
      return false;
    }
  }

  /** Adds a job or takes it away; one is always left. */
  toggleJob(job: FunctionName): void {
    const without = this.jobs.filter((other) => other !== job);
    if (without.length === this.jobs.length) this.jobs = [...this.jobs, job];
    else if (without.length > 0) this.jobs = without;
  }

  /** A poster hangs for more than one phone. */
  makePosterCode(): Promise<void> {
    this.mode = "open";
    return this.makeCode();
  }

  async makeCode(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const [jobs, mode] = [this.jobs, this.mode];
    try {
      const madeAt = Date.now();
      this.code = { ...(await this.api.openPairing([...jobs], mode)), jobs, mode, madeAt };
      this.used = false;
      this.codeError = undefined;
    } catch (error) {
      this.codeError = errorText(error);
    } finally {
      this.busy = false;
    }
  }

  /** The code, while a phone can still use it. */
  validCode(now: number): MadeCode | undefined {
    const runs = this.code !== undefined && Date.parse(this.code.code_expires_at) > now;
    return runs && !this.used ? this.code : undefined;
  }

  /** Phones that ask now: the code for one phone is used up by the first of them. */
  noteRequests(requests: readonly WaitingPairing[]): void {
    const { code } = this;
    if (code?.mode !== "single") return;
    if (requests.some((request) => Date.parse(request.claimed_at) >= code.madeAt)) this.used = true;
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
