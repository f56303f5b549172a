// Who works at the show, with which phone, and what was done: as the desk tells it.

import type { components } from "@showdesk/api";

import type { Json } from "../text/json.ts";

type Schemas = components["schemas"];
type Refine<Base, Members> = Omit<Base, keyof Members> & Members;

/** What a person does at the show. */
export type FunctionName = Schemas["Function"];
/** Where somebody works. No ring or no department means all of them; no exhibitor means nobody. */
export type Scope = Schemas["Scope"];

/** Switches beside what the jobs bring by themselves. */
export type Permissions = Schemas["Permissions"];
/** One switch, and the jobs that have it by themselves. */
export type PermissionItem = Schemas["PermissionItem"];

export type Device = Pick<
  Schemas["DeviceView"],
  | "id"
  | "beats"
  | "connected"
  | "name"
  | "kind"
  | "platform"
  | "level"
  | "user"
  | "functions"
  | "scope"
  | "permissions"
  | "effective"
  | "joined_at"
  | "expires_at"
  | "last_seen"
  | "oldest_unsent_at"
  | "unsent"
  | "skew_ms"
  | "revoked_at"
  | "fork_suspected_at"
  | "may_be"
  | "file_asked_at"
>;

/** What is to be other about a phone and its person; what is absent stays. */
export interface DeviceChange {
  name?: string;
  person_name?: string;
  functions?: FunctionName[];
  scope?: Scope;
  permissions?: Permissions;
  /** Null: never. */
  expires_at?: string | null;
}

/** A phone that asks to join. */
export type WaitingPairing = Schemas["WaitingPairing"];

/** With what a phone is let in, where that is other than its code says. */
export interface Approval {
  name?: string;
  functions?: FunctionName[];
  scope?: Scope;
}

export type PairingMode = Schemas["PairingMode"];

/** What a new code is for. */
export interface NewCode {
  functions: FunctionName[];
  mode: PairingMode;
  scope?: Scope;
  /** How long whoever joins by it may stay: absent the show's end and two days more, null for ever. */
  device_expires_at?: string | null;
  /** How long the code is good; absent ten minutes for one phone, two hours for any. */
  expires_in_s?: number;
}

/** The short form of a code, for whoever cannot scan. */
export type TypedCode = Schemas["TypedCode"];
/** A code for phones, shown once: the desk keeps no copy that could be shown again. */
export type JoinCode = Schemas["JoinCode"];
/** A code that phones can still use. */
export type OpenCode = Schemas["OpenPairing"];

/** Something that was decided or done. It is never changed. */
export type AuditItem = Refine<
  Schemas["AuditItem"],
  {
    before: Json;
    after: Json;
    /** What it is about, as parts and in words. */
    subject: Json;
    subject_text: string | undefined;
  }
>;

export interface AuditPage {
  items: AuditItem[];
  cursor: string | undefined;
}

/** Which rows of the record are listed. Moments: `from` is included, `to` is not. */
export interface AuditFilter {
  q?: string;
  action?: string;
  person?: string;
  /** Done from this phone, or about it. */
  device?: string;
  from?: string;
  to?: string;
}

/** What the desk asks about people and their phones. */
export interface PeopleCalls {
  devices(): Promise<Device[]>;
  permissions(): Promise<PermissionItem[]>;
  changeDevice(id: string, change: DeviceChange): Promise<void>;
  /** One phone that joined twice becomes one again: `id` goes into `into`. */
  mergeDevice(id: string, into: string): Promise<void>;
  /** The phone asks its person to save a file of what it holds. */
  askForFile(id: string): Promise<void>;
  removeDevice(id: string): Promise<void>;
  waitingPairings(): Promise<WaitingPairing[]>;
  approve(pairingId: string, approval?: Approval): Promise<void>;
  refuse(pairingId: string): Promise<void>;
  openPairing(code: NewCode): Promise<JoinCode>;
  openCodes(): Promise<OpenCode[]>;
  /** A fresh short form of an open code; the one before is dead. */
  freshTypedCode(pairingId: string): Promise<TypedCode>;
  closeCode(pairingId: string): Promise<void>;
  audit(filter: AuditFilter, cursor: string | undefined, limit: number): Promise<AuditPage>;
  /** The same rows as a spreadsheet. */
  auditFile(filter: AuditFilter): Promise<Blob>;
}
