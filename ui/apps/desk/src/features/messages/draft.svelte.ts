// A message that is being written. It is kept by this browser, so leaving the page or closing the window loses nothing.

import type { Audience, Ends, MessageItem, NewMessage, Priority, Reach, Template } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { at, textAt, type Json } from "../../text/json.ts";
import { fromLocal, toLocal } from "../../text/local-time.ts";
import { words } from "../../text/words.ts";
import { audienceOf, onlyClass, partsOf, type Part } from "./audience.ts";
import { joinText, letters, splitText, textFault, type Split } from "./split.ts";

export type When = "now" | "at" | "before";
export type EndsWhen = "never" | "class" | "m30" | "m120" | "at";

/** Minutes before a class that can be chosen. */
export const MINUTES = [5, 10, 15, 20, 30, 45, 60] as const;

export interface DraftData {
  /** What it is about: phones have a picture for each. */
  type: string;
  text: string;
  priority: Priority;
  parts: readonly Part[];
  when: When;
  /** By the show's clock, as `<input type="datetime-local">` has it. */
  at: string;
  minutes: number;
  ends: EndsWhen;
  endsAt: string;
  template: string | undefined;
  /** The scheduled message that is changed by it. */
  editing: { id: string; title: string } | undefined;
}

export type Faults = Partial<Record<"to" | "text" | "when" | "ends", string>>;

export const EMPTY: DraftData = {
  type: "message",
  text: "",
  priority: "normal",
  parts: [],
  when: "now",
  at: "",
  minutes: 20,
  ends: "never",
  endsAt: "",
  template: undefined,
  editing: undefined,
};

const KEPT_AS = "showdesk.message-draft";

/** What is being written, and what waits until that is done. */
interface Written {
  data: DraftData;
  aside: DraftData | undefined;
}

export class Draft {
  data = $state.raw<DraftData>(EMPTY);
  /** What was being written before something else came in between, and comes again. */
  #aside: DraftData | undefined;

  constructor() {
    const kept = keptDraft();
    if (kept !== undefined) [this.data, this.#aside] = [kept.data, kept.aside];
  }

  // Worked out when asked for: it outlives the page that shows it, and what a page derives ends with the page.
  get isEmpty(): boolean {
    return this.data.text.trim() === "" && this.data.parts.length === 0;
  }

  get split(): Split {
    return splitText(this.data.text);
  }

  get letters(): number {
    return letters(this.data.text.trim());
  }

  get audience(): Audience {
    return audienceOf(this.data.parts);
  }

  change(part: Partial<DraftData>): void {
    this.put({ ...this.data, ...part });
  }

  put(data: DraftData): void {
    this.#write({ data, aside: this.#aside });
  }

  /**
   * Puts something else in the place of what is written. If it only comes in between, what was begun waits until it is
   * done; what cannot wait is gone, and had back by calling what is answered.
   */
  takeUp(data: DraftData, isBetween: boolean): (() => void) | undefined {
    const before = this.#written;
    const waits = isBetween && before.aside === undefined && before.data.editing === undefined && !this.isEmpty;
    const isGone = !waits && !this.isEmpty;
    this.#write({ data, aside: waits ? before.data : before.aside });
    return isGone ? () => this.#write(before) : undefined;
  }

  /** It went out, or is given up: what waited is here again. Calling what is answered undoes that. */
  finish(): () => void {
    const before = this.#written;
    this.#write({ data: before.aside ?? EMPTY, aside: undefined });
    return () => this.#write(before);
  }

  get #written(): Written {
    return { data: this.data, aside: this.#aside };
  }

  #write(written: Written): void {
    [this.data, this.#aside] = [written.data, written.aside];
    keep(written);
  }

  /** What is missing or cannot be, by field. */
  faults(timezone: string, now: number): Faults {
    const { text, parts, when, ends } = this.data;
    const fault = words.messages.fault;
    const found: Faults = {};
    if (parts.length === 0) found.to = fault.to;
    const wrong = textFault(text);
    if (wrong !== undefined) found.text = wrong;
    const hasClass = onlyClass(parts) !== undefined;
    const sendAt = when === "at" ? fromLocal(this.data.at, timezone) : undefined;
    if (when === "before" && !hasClass) found.when = fault.class;
    if (when === "at" && sendAt === undefined) found.when = fault.at;
    if (sendAt !== undefined && Date.parse(sendAt) <= now) found.when = fault.past;
    if (ends === "class" && !hasClass) found.ends = fault.endsClass;
    if (ends === "at") {
      const endsAt = fromLocal(this.data.endsAt, timezone);
      if (endsAt === undefined) found.ends = fault.endsAt;
      else if (Date.parse(endsAt) <= (sendAt === undefined ? now : Date.parse(sendAt))) found.ends = fault.endsFirst;
    }
    return found;
  }

  /** What the message says, and to whom. */
  content(): NewMessage {
    const { type, priority, template } = this.data;
    const { title, body } = this.split;
    return {
      type,
      title,
      ...(body !== "" && { body }),
      priority,
      needs_ack: priority !== "normal",
      audience: this.audience,
      ...(template !== undefined && { template_id: template }),
    };
  }

  /** The message as it is sent, with its times; asked for only without faults. */
  message(timezone: string): NewMessage {
    const { parts, when, minutes, ends } = this.data;
    const of = onlyClass(parts)?.id;
    const sendAt = when === "at" ? fromLocal(this.data.at, timezone) : undefined;
    const expiresAt = ends === "at" ? fromLocal(this.data.endsAt, timezone) : undefined;
    const until = endsOf(ends, of);
    return {
      ...this.content(),
      ...(sendAt !== undefined && { send_at: sendAt }),
      ...(when === "before" && of !== undefined && { before_class: { class_id: of, minutes } }),
      ...(expiresAt !== undefined && { expires_at: expiresAt }),
      ...(until !== undefined && { ends: until }),
    };
  }
}

const AFTER_MINUTES = { m30: 30, m120: 120 } as const;

function endsOf(ends: EndsWhen, ofClass: string | undefined): Ends | undefined {
  switch (ends) {
    case "class":
      return ofClass === undefined ? undefined : { class_starts: ofClass };
    case "m30":
    case "m120":
      return { after_minutes: AFTER_MINUTES[ends] };
    case "never":
    case "at":
      return undefined;
  }
}

/** A template as a draft. */
export function draftOfTemplate(template: Template, reach: Pick<Reach, "parts"> | undefined): DraftData {
  return {
    ...EMPTY,
    type: template.type,
    text: joinText(template.title, template.body),
    priority: template.priority,
    parts: partsOf(template.audience ?? {}, reach),
    template: template.id,
  };
}

/** A message that was written before, as a draft: its text as it was typed. */
export function draftOfMessage(
  message: MessageItem,
  reach: Pick<Reach, "parts"> | undefined,
  timezone: string,
): DraftData {
  const { title, body } = message.raw ?? message;
  const { before_class, send_at } = message;
  return {
    ...EMPTY,
    type: message.type,
    text: joinText(title, body),
    priority: message.priority,
    parts: partsOf(message.audience, reach),
    when: before_class !== undefined ? "before" : send_at === undefined ? "now" : "at",
    at: before_class === undefined && send_at !== undefined ? toLocal(send_at, timezone) : "",
    minutes: before_class?.minutes ?? EMPTY.minutes,
    ...endsOfMessage(message, timezone),
  };
}

function endsOfMessage({ ends, expires_at }: MessageItem, timezone: string): Pick<DraftData, "ends" | "endsAt"> {
  if (ends !== undefined && "class_starts" in ends) return { ends: "class", endsAt: "" };
  if (ends !== undefined && ends.after_minutes === AFTER_MINUTES.m30) return { ends: "m30", endsAt: "" };
  if (ends !== undefined && ends.after_minutes === AFTER_MINUTES.m120) return { ends: "m120", endsAt: "" };
  return expires_at === undefined
    ? { ends: "never", endsAt: "" }
    : { ends: "at", endsAt: toLocal(expires_at, timezone) };
}

const drafts = new WeakMap<Desk, Draft>();

/** The one draft of this page. */
export function draftOf(desk: Desk): Draft {
  const known = drafts.get(desk) ?? new Draft();
  drafts.set(desk, known);
  return known;
}

function keep({ data, aside }: Written): void {
  try {
    if (data === EMPTY && aside === undefined) localStorage.removeItem(KEPT_AS);
    else localStorage.setItem(KEPT_AS, JSON.stringify({ ...data, aside }));
  } catch {
    // A browser that keeps nothing still has the draft until the page is closed.
  }
}

function keptDraft(): Written | undefined {
  try {
    const json = JSON.parse(localStorage.getItem(KEPT_AS) ?? "null") as Json;
    const data = readDraft(json);
    return data && { data, aside: readDraft(at(json, "aside")) };
  } catch {
    return undefined;
  }
}

const PRIORITIES: readonly Priority[] = ["normal", "high", "urgent"];
const WHENS: readonly When[] = ["now", "at", "before"];
const ENDS: readonly EndsWhen[] = ["never", "class", "m30", "m120", "at"];
const KINDS: readonly Part["kind"][] = ["everybody", "function", "ring", "department", "class", "exhibitor"];

/** What another version of this page kept may have another shape. */
function readDraft(json: Json | undefined): DraftData | undefined {
  const text = at(json, "text");
  const parts = at(json, "parts");
  if (typeof text !== "string" || !Array.isArray(parts)) return undefined;
  const editing = at(json, "editing");
  const [id, title] = [textAt(editing, "id"), textAt(editing, "title")];
  const one = <Word extends string>(known: readonly Word[], key: string, or: Word) =>
    known.find((word) => word === at(json, key)) ?? or;
  return {
    type: textAt(json, "type") ?? EMPTY.type,
    text,
    parts: parts.flatMap((part) => readPart(part) ?? []),
    priority: one(PRIORITIES, "priority", EMPTY.priority),
    when: one(WHENS, "when", EMPTY.when),
    ends: one(ENDS, "ends", EMPTY.ends),
    at: textAt(json, "at") ?? "",
    endsAt: textAt(json, "endsAt") ?? "",
    minutes: MINUTES.find((minutes) => minutes === at(json, "minutes")) ?? EMPTY.minutes,
    template: textAt(json, "template"),
    editing: id === undefined || title === undefined ? undefined : { id, title },
  };
}

function readPart(json: Json): Part | undefined {
  const kind = KINDS.find((known) => known === at(json, "kind"));
  const [id, label] = [textAt(json, "id"), textAt(json, "label")];
  return kind === undefined || id === undefined || label === undefined ? undefined : { kind, id, label };
}
