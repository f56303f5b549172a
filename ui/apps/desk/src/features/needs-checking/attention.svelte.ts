// An entry that the desk has not taken: what was sent, what is there, and what a person at the desk makes of it.

import { ApiProblem } from "@showdesk/api";

import type { QueueItem, Row } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { attentionSubject } from "../../text/attention.ts";
import { fieldText, isShown } from "../../text/fields.ts";
import { moment } from "../../text/format.ts";
import { isSame, type Json } from "../../text/json.ts";
import { words } from "../../text/words.ts";
import { isTypable, readTyped, typedText } from "../../text/typing.ts";

/** One field of what was sent. */
export interface SentField {
  field: string;
  label: string;
  sent: Json;
  /** The laptop's value now; undefined where it has none. */
  now: Json | undefined;
  /** The text in its input; undefined for what cannot be typed. */
  text: string | undefined;
}

export class Attention {
  readonly #desk: Desk;
  readonly item: QueueItem;
  /** The laptop's row now. */
  row = $state.raw<Row | undefined>(undefined);
  /** Why it is let in or left out; undefined until somebody types. */
  #reason = $state<string | undefined>(undefined);
  faults = $state.raw<Readonly<Record<string, string>>>({});
  notice = $state<string | undefined>(undefined);
  busy = $state(false);
  #typed = $state.raw<Readonly<Record<string, string>>>({});

  constructor(desk: Desk, item: QueueItem) {
    this.#desk = desk;
    this.item = item;
    void this.#loadRow();
  }

  /** When it was made and when it came, as the desk's clock tells it; one text where they are the same. */
  readonly times = $derived.by((): { made: string; came: string } => {
    const { op, received_at } = this.item;
    const came = moment(received_at, this.#desk.show);
    return { made: op.client_time ? moment(op.client_time, this.#desk.show) : came, came };
  });

  readonly waits = $derived.by(() => this.item.verdict === "held");
  get reason(): string {
    return this.#reason ?? (this.item.late ? this.#lateReason() : "");
  }

  set reason(text: string) {
    this.#reason = text;
  }

  readonly hasReason = $derived(this.reason.trim() !== "");

  readonly fields: readonly SentField[] = $derived.by(() =>
    Object.entries(this.item.op.data)
      .filter(([field]) => isShown(field))
      .map(([field, sent]) => ({
        field,
        label: fieldText(field).label,
        sent,
        now: this.row?.[field],
        text: isTypable(field) ? (this.#typed[field] ?? typedText(field, sent, this.#desk.show)) : undefined,
      })),
  );

  /** An entry that was late says itself why: whoever agrees need not type it. */
  #lateReason(): string {
    const { made, came } = this.times;
    return made === came ? words.attention.lateOnce(made) : words.attention.lateAt(made, came);
  }

  async #loadRow(): Promise<void> {
    const { table_name, record_id, operation, data } = this.item.op;
    void this.#desk.learnRow(data);
    if (!record_id || operation === "insert") return;
    try {
      this.row = (await this.#desk.api.history(table_name, record_id))[0]?.snapshot;
    } catch {
      // A record that the laptop has never had: the column stays empty.
    }
  }

  type(field: string, text: string): void {
    this.#typed = { ...this.#typed, [field]: text };
    this.faults = {};
  }

  /** What was typed over what was sent, or what is wrong with it. */
  #changes(): Row | undefined {
    const changes: Row = {};
    const faults: Record<string, string> = {};
    for (const { field, sent, text } of this.fields) {
      if (text === undefined || text === typedText(field, sent, this.#desk.show)) continue;
      const read = readTyped(field, text, this.#desk.show);
      if ("fault" in read) faults[field] = read.fault;
      else if (!isSame(read.value, sent)) changes[field] = read.value;
    }
    this.faults = faults;
    return Object.keys(faults).length > 0 ? undefined : changes;
  }

  /** Saves it for its author. Answers whether it is dealt with. */
  async apply(): Promise<boolean> {
    const data = this.#changes();
    if (data === undefined || !this.hasReason) return false;
    const request = { reason: this.reason.trim(), ...(Object.keys(data).length > 0 && { data }) };
    return this.#during(async () => {
      const done = await this.#desk.api.applyOp(this.item.op_id, request);
      const subject = attentionSubject(this.item);
      this.#say(
        done.verdict === "conflict"
          ? words.attention.clashes(subject)
          : words.attention.applied(this.item.author.name, subject),
      );
      return true;
    });
  }

  async drop(): Promise<boolean> {
    if (!this.hasReason) return false;
    return this.#during(async () => {
      await this.#desk.api.dropOp(this.item.op_id, this.reason.trim());
      this.#say(words.attention.dropped(attentionSubject(this.item)));
      return true;
    });
  }

  async retry(): Promise<boolean> {
    return this.#during(async () => {
      const now = await this.#desk.api.retryOp(this.item.op_id);
      if (now.verdict === "rejected" || now.verdict === "held") {
        this.notice = now.verdict === "held" ? words.attention.stillWaits : words.attention.stillRefused;
        return false;
      }
      this.#say(words.attention.retried(attentionSubject(this.item)));
      return true;
    });
  }

  #say(text: string): void {
    this.#desk.toasts.show({ text, tone: "plain" });
  }

  async #during(work: () => Promise<boolean>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.notice = undefined;
    try {
      return await work();
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.busy = false;
      this.#desk.live.wake("conflict");
    }
  }

  #failed(error: unknown): boolean {
    if (error instanceof ApiProblem && error.code === "wrong_state") {
      this.#say(words.attention.gone);
      return true;
    }
    if (error instanceof ApiProblem) this.faults = error.more.fields;
    this.notice = errorText(error);
    return false;
  }
}
