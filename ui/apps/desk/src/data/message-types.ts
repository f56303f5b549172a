// Messages to phones, and how they go out, as the desk tells it.

import type { FunctionName, Person } from "./desk-api.ts";

/** Info, Important, Emergency on the screen. */
export type Priority = "normal" | "high" | "urgent";

/** Whom a message is for; what is named is added up. */
export interface Audience {
  everybody?: boolean;
  functions?: FunctionName[];
  rings?: string[];
  departments?: string[];
  class_ids?: string[];
  exhibitor_ids?: string[];
}

export type PartKind = "everybody" | "function" | "ring" | "department" | "class" | "exhibitor";

/** Something that a message can be for. */
export interface AudienceItem {
  kind: PartKind;
  /** What goes into the audience. */
  id: string;
  label: string;
  note: string | undefined;
  people: number;
  /** When a class is planned. */
  planned_at: string | undefined;
}

/** Whom an audience reaches just now. `away`: of the phones, those that are not connected. */
export interface Reach {
  people: number;
  devices: number;
  away: number;
  /** By `class:<id>`, `function:gate`, `everybody` and so on. */
  parts: { key: string; label: string; people: number }[];
}

export interface BeforeClass {
  class_id: string;
  minutes: number;
}

/** When a message leaves the phones. */
export type Ends = { class_starts: string } | { after_minutes: number };

export interface NewMessage {
  /** What it is about, `message` if absent: phones have a picture for each. */
  type?: string;
  title: string;
  body?: string;
  priority: Priority;
  needs_ack: boolean;
  audience: Audience;
  send_at?: string;
  before_class?: BeforeClass;
  expires_at?: string;
  ends?: Ends;
  template_id?: string;
  undo_seconds?: number;
  /** Only to whoever asks. */
  test?: boolean;
}

/** What a draft would be, filled in. */
export interface MessagePreview {
  title: string;
  body: string | undefined;
  send_at: string | undefined;
}

export interface SentNow {
  id: string;
  reach: Pick<Reach, "people" | "devices" | "away">;
  send_at: string | undefined;
  undo_until: string | undefined;
}

/** How many people a message has come how far with. */
export interface StateCounts {
  waiting: number;
  delivered: number;
  seen: number;
  confirmed: number;
  /** A push provider took it; the phone has said nothing yet. */
  accepted: number;
  failed: number;
  expired: number;
}

export interface MessageItem {
  id: string;
  type: string;
  source: "person" | "automatic";
  title: string;
  body: string | undefined;
  /** As it was typed, where something is filled in. */
  raw: { title: string; body: string | undefined } | undefined;
  priority: Priority;
  needs_ack: boolean;
  audience: Audience;
  audience_text: string;
  before_class: BeforeClass | undefined;
  ends: Ends | undefined;
  send_at: string | undefined;
  /** Until when it can be taken back unseen. */
  undo_until: string | undefined;
  /** When it went out, or when its time came and it was over. */
  released_at: string | undefined;
  /** Why it failed, or will, in words. */
  reason: string | undefined;
  expires_at: string | undefined;
  created_at: string;
  retracted_at: string | undefined;
  by: Person | undefined;
  people: number;
  counts: StateCounts;
}

/** What became of a message on one phone, or by one provider. */
export interface Delivery {
  id: string;
  person: Person;
  device: { id: string; name: string } | undefined;
  channel: "local" | "fcm" | "apns" | "web";
  status: keyof StateCounts;
  attempts: number;
  error_code: string | undefined;
  /** Why it failed or waits, in words. */
  reason: string | undefined;
  next_attempt_at: string | undefined;
  updated_at: string;
}

export interface MessageDetail extends MessageItem {
  deliveries: Delivery[];
}

export interface MessagePage {
  items: MessageItem[];
  cursor: string | undefined;
}

export interface TemplateText {
  name: string;
  type: string;
  priority: Priority;
  title: string;
  body: string | undefined;
  /** Undefined: it is chosen each time. */
  audience: Audience | undefined;
  needs_ack: boolean;
}

export interface Template extends TemplateText {
  id: string;
}

/** A message that the desk sends by itself. */
export interface AutomaticItem {
  key: string;
  on: boolean;
  /** What it counts with, where it has any. */
  minutes?: number;
  /** When weigh-in closes, by department. */
  closes?: { department: string; at: string }[];
}

export interface Automatic {
  items: AutomaticItem[];
  /** By the clock at the show, `21:00`; undefined without quiet hours. */
  quiet: { from: string; to: string } | undefined;
}

/** Kinds that are other now; quiet hours, or null for none. */
export interface AutomaticChange {
  items?: AutomaticItem[];
  quiet?: NonNullable<Automatic["quiet"]> | null;
}

export type Provider = "fcm" | "apns" | "web";

export interface ProviderState {
  configured: boolean;
  /** A stand-in in the provider's place. */
  endpoint: string | undefined;
  state: "not_set_up" | "untested" | "ok" | "open_circuit";
  problem: string | undefined;
  tokens: { active: number; disabled: number };
  /** What is known of its settings: project, team, key, contact. Never a key itself. */
  settings: Readonly<Record<string, string>>;
}

export type Providers = Readonly<Record<Provider, ProviderState>>;

export interface Trial {
  ok: boolean;
  code: string;
  sentence: string;
}

/** What the desk asks about messages. */
export interface MessageCalls {
  messages(state: "scheduled" | "sent", cursor: string | undefined, limit: number): Promise<MessagePage>;
  message(id: string): Promise<MessageDetail>;
  /** What a message can be for, best match first; without a text the usual ones. */
  audience(query: string): Promise<AudienceItem[]>;
  reach(audience: Audience): Promise<Reach>;
  previewMessage(draft: Pick<NewMessage, "title" | "body" | "audience" | "before_class">): Promise<MessagePreview>;
  sendMessage(message: NewMessage): Promise<SentNow>;
  /** One that has not gone out yet. */
  changeMessage(id: string, message: NewMessage): Promise<SentNow>;
  cancelMessage(id: string): Promise<void>;
  retractMessage(id: string): Promise<void>;
  /** Answers how many people are reminded. */
  remindMessage(id: string): Promise<number>;
  templates(): Promise<Template[]>;
  addTemplate(template: TemplateText): Promise<Template>;
  changeTemplate(id: string, template: TemplateText): Promise<Template>;
  dropTemplate(id: string): Promise<void>;
  automatic(): Promise<Automatic>;
  /** What is not named stays. */
  setAutomatic(change: AutomaticChange): Promise<Automatic>;
  providers(): Promise<Providers>;
  /** What is absent stays as it is; null takes a stand-in away. */
  setProvider(provider: Provider, settings: Readonly<Record<string, string | null>>): Promise<Providers>;
  dropProvider(provider: Provider): Promise<void>;
  testProvider(provider: Provider): Promise<Trial>;
}
