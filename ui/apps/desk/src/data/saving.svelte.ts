// Whether something a person did here is still on its way to the disk, and when the last such thing was kept.

import type { DeskApi } from "./desk-api.ts";

/** Names of calls, and of nothing else. */
type Known<Names extends keyof DeskApi> = Names;

/** The calls that only ask. What they tell can be asked again, so nothing of them is on its way to the disk. */
type Reads = Known<
  | "overview"
  | "activity"
  | "about"
  | "addresses"
  | "wifiQr"
  | "conflicts"
  | "conflict"
  | "previewBulk"
  | "queue"
  | "entries"
  | "entry"
  | "history"
  | "rowsOf"
  | "previewImport"
  | "importRows"
  | "chooseForImport"
  | "imports"
  | "previewRescue"
  | "live"
  | "devices"
  | "permissions"
  | "waitingPairings"
  | "openCodes"
  | "audit"
  | "network"
  | "startNetworkTest"
  | "networkTest"
  | "messages"
  | "message"
  | "audience"
  | "reach"
  | "previewMessage"
  | "templates"
  | "automatic"
  | "providers"
  | "testProvider"
  | "charts"
  | "chartFile"
  | "report"
  | "requestsOf"
  | "problems"
  | "problem"
  | "alertRules"
  | "alertEvents"
  | "alertSettings"
  | "testWebhook"
  | "cache"
  | "recording"
  // What this page tells of itself is nothing that a person did.
  | "tellErrors"
>;

/** Every other call writes: a new one stands in one of the two lists, or this does not compile. */
const SAVES: Readonly<Record<Exclude<keyof DeskApi, Reads>, true>> = {
  approve: true,
  refuse: true,
  openPairing: true,
  freshTypedCode: true,
  closeCode: true,
  changeDevice: true,
  mergeDevice: true,
  askForFile: true,
  removeDevice: true,
  // The desk notes who saved the record.
  auditFile: true,
  renewCertificates: true,
  resolve: true,
  undo: true,
  reopen: true,
  ask: true,
  resolveBulk: true,
  undoBulk: true,
  retryOp: true,
  applyOp: true,
  dropOp: true,
  write: true,
  writeTogether: true,
  takeInRescue: true,
  setPerson: true,
  fillDemo: true,
  confirmImport: true,
  undoImport: true,
  sendMessage: true,
  changeMessage: true,
  cancelMessage: true,
  retractMessage: true,
  remindMessage: true,
  addTemplate: true,
  changeTemplate: true,
  dropTemplate: true,
  setAutomatic: true,
  setProvider: true,
  dropProvider: true,
  setProblem: true,
  setRule: true,
  dropRule: true,
  setAlertSettings: true,
  clearCache: true,
};

export class Saving {
  #running = $state(0);
  /** By this computer's clock, milliseconds; undefined until this page kept something. */
  lastAt = $state<number | undefined>(undefined);

  get busy(): boolean {
    return this.#running > 0;
  }

  /** The same desk; its writing calls are counted while they run. */
  watch(api: DeskApi): DeskApi {
    return new Proxy(api, {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name);
        if (typeof call !== "function" || !Object.hasOwn(SAVES, name)) return call;
        return (...given: unknown[]) => this.#during(Reflect.apply(call, target, given));
      },
    });
  }

  async #during<T>(running: Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      const answer = await running;
      this.lastAt = Date.now();
      return answer;
    } finally {
      this.#running -= 1;
    }
  }
}
