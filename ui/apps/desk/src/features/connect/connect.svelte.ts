// The two codes a phone scans. The Wi-Fi's name and password stay on this computer.

import { createContext } from "svelte";

import type {
  DeskApi,
  FunctionName,
  JoinCode,
  NewCode,
  OpenCode,
  PairingMode,
  Scope,
  TypedCode,
  WaitingPairing,
} from "../../data/desk-api.ts";
import { errorText } from "../../data/error-text.ts";
import { Resource } from "../../data/resource.svelte.ts";
import { words } from "../../text/words.ts";
import { DEFAULT_PASS, passMoment, type Pass } from "../phones/pass.ts";

const KEY = "showdesk.wifi";

/** A code, and what it was made for. */
export type MadeCode = JoinCode & {
  jobs: readonly FunctionName[];
  scope: Scope;
  mode: PairingMode;
  madeAt: number;
};

/** For whom the next code is: one phone, or any for two hours or a day. */
export type CodeKind = "single" | "open" | "day";

const DAY_S = 24 * 3600;

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
  kind = $state<CodeKind>("open");
  scope = $state.raw<Scope>({});
  /** How long whoever joins by it may stay. */
  pass = $state<Pass>({ ...DEFAULT_PASS });
  code = $state.raw<MadeCode | undefined>(undefined);
  /** A code for one phone that a phone has scanned. */
  used = $state(false);
  /** Somebody closed the code that is shown. */
  closed = $state(false);
  /** Codes that phones can use now, made here or before this page was opened. */
  readonly codes: Resource<OpenCode[]>;
  busy = $state(false);
  wifiError = $state<string | undefined>(undefined);
  /** Why no code was made. */
  codeError = $state<string | undefined>(undefined);
  /** Why the code that is shown has no fresh short form. */
  typedError = $state<string | undefined>(undefined);
  /** Why a code could not be closed: it can still be used. */
  closeError = $state<string | undefined>(undefined);

  constructor(api: DeskApi) {
    this.api = api;
    this.codes = new Resource(() => api.openCodes());
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

  /** What the next phones are for; one job is always left. */
  chooseJobs(jobs: readonly FunctionName[]): void {
    if (jobs.length > 0) this.jobs = jobs;
  }

  /** A poster hangs for more than one phone; for how long is asked there. */
  makePosterCode(kind: "open" | "day", timezone: string): Promise<void> {
    this.kind = kind;
    return this.makeCode(timezone);
  }

  /** The show's time zone is that of the pass's end. */
  async makeCode(timezone: string): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const { jobs, scope } = this;
    const mode = this.kind === "single" ? ("single" as const) : ("open" as const);
    try {
      const madeAt = Date.now();
      this.code = { ...(await this.api.openPairing(this.#wanted(timezone))), jobs, scope, mode, madeAt };
      this.typedError = undefined;
      this.used = false;
      this.closed = false;
      this.codeError = undefined;
      await this.codes.refresh();
    } catch (error) {
      this.codeError = errorText(error);
    } finally {
      this.busy = false;
    }
  }

  #wanted(timezone: string): NewCode {
    const until = passMoment(this.pass, timezone);
    return {
      functions: [...this.jobs],
      mode: this.kind === "single" ? "single" : "open",
      ...(Object.values(this.scope).some((part) => part.length > 0) && { scope: this.scope }),
      ...(until !== undefined && { device_expires_at: until }),
      ...(this.kind === "day" && { expires_in_s: DAY_S }),
    };
  }

  /** A fresh short form of the code that is shown. */
  async freshTypedCode(): Promise<void> {
    const { code } = this;
    if (code === undefined || this.busy) return;
    this.busy = true;
    try {
      const fresh: TypedCode = await this.api.freshTypedCode(code.pairing_id);
      if (this.code?.pairing_id === code.pairing_id) this.code = { ...this.code, ...fresh };
      this.typedError = undefined;
      await this.codes.refresh();
    } catch (error) {
      this.typedError = errorText(error);
    } finally {
      this.busy = false;
    }
  }

  /** No phone can use it from now on; those that joined by it stay. Answers whether it is closed. */
  async closeCode(pairingId: string): Promise<boolean> {
    try {
      await this.api.closeCode(pairingId);
      if (this.code?.pairing_id === pairingId) this.closed = true;
      this.closeError = undefined;
      return true;
    } catch (error) {
      this.closeError = errorText(error);
      return false;
    } finally {
      await this.codes.refresh();
    }
  }

  /** The code, while a phone can still use it. */
  validCode(now: number): MadeCode | undefined {
    const runs = this.code !== undefined && Date.parse(this.code.code_expires_at) > now;
    return runs && !this.used && !this.closed ? this.code : undefined;
  }

  /** Phones that ask now: the code for one phone is used up by the first of them. */
  noteRequests(requests: readonly WaitingPairing[]): void {
    const { code } = this;
    if (code?.mode !== "single") return;
    if (requests.some((request) => Date.parse(request.claimed_at) >= code.madeAt)) this.used = true;
  }
}

/** Why the code that was made can no longer be used. */
export function missingText({ closed, used }: Pick<Connect, "closed" | "used">): string {
  if (closed) return words.connect.closed;
  return used ? words.connect.used : words.connect.expired;
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
