// Sends what is written, and takes it back as long as nobody can have it.

import { Unreachable } from "@showdesk/api";

import type { NewMessage, SentNow } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { moment } from "../../text/format.ts";
import { words } from "../../text/words.ts";
import { isToEverybody } from "./audience.ts";
import type { Draft, DraftData, Faults } from "./draft.svelte.ts";
import { heldUntil, UNDO_SECONDS, type Said, type WayBack } from "./way-back.ts";
import { asPlanned } from "./written.ts";

const text = words.messages;

export class Sending {
  readonly #desk: Desk;
  readonly #draft: Draft;
  readonly #back: WayBack;
  busy = $state(false);
  /** Shown once somebody tried to send. */
  faults = $state.raw<Faults>({});
  /** The step before an emergency to everybody. */
  asksSure = $state(false);

  constructor(desk: Desk, draft: Draft, back: WayBack) {
    this.#desk = desk;
    this.#draft = draft;
    this.#back = back;
  }

  /** Whether the draft can go out as it stands; else its faults are shown. */
  check(): boolean {
    this.faults = this.#draft.faults(this.#desk.show.timezone, Date.now());
    return Object.keys(this.faults).length === 0;
  }

  /** What was typed has changed: what was said about it is over. */
  forget(field: keyof Faults): void {
    if (this.faults[field] === undefined) return;
    this.faults = Object.fromEntries(Object.entries(this.faults).filter(([key]) => key !== field));
  }

  async send(isSure = false): Promise<void> {
    if (this.busy || !this.check()) return;
    const { data, audience } = this.#draft;
    if (data.priority === "urgent" && isToEverybody(audience) && !isSure) {
      this.asksSure = true;
      return;
    }
    this.asksSure = false;
    await this.#during(async () => {
      // What a changed one was before, for the way back.
      const was = data.editing && asPlanned(await this.#desk.api.message(data.editing.id));
      const sent = await this.#give(data);
      this.#draft.finish();
      this.#tell(sent, data, was);
    });
  }

  async test(): Promise<void> {
    if (this.busy) return;
    const faults = this.#draft.faults(this.#desk.show.timezone, Date.now());
    this.faults = faults.text === undefined ? {} : { text: faults.text };
    if (faults.text !== undefined) return;
    await this.#during(async () => {
      const { reach } = await this.#desk.api.sendMessage({ ...this.#draft.content(), test: true });
      this.#desk.toasts.show({ text: reach.devices === 0 ? text.testNobody : text.tested, tone: "plain" });
    });
  }

  #give({ editing, when }: DraftData): Promise<SentNow> {
    const message = this.#draft.message(this.#desk.show.timezone);
    const undo = when === "now" ? { undo_seconds: UNDO_SECONDS } : {};
    return editing === undefined
      ? this.#desk.api.sendMessage({ ...message, ...undo })
      : this.#desk.api.changeMessage(editing.id, { ...message, ...undo });
  }

  #tell(sent: SentNow, data: DraftData, was: NewMessage | undefined): void {
    const isNow = data.when === "now";
    const later =
      sent.send_at === undefined ? text.scheduledLater : text.scheduled(moment(sent.send_at, this.#desk.show));
    this.#back.offer({
      says: isNow ? text.sent(sent.reach.devices) : data.editing !== undefined ? text.changed : later,
      undo: () => this.#takeBack(sent.id, data, was),
      // One that waits for its time can be cancelled until then, but not by a key that was pressed hours later.
      ...(isNow && { until: heldUntil(sent.undo_until) }),
    });
  }

  /** A new one is cancelled, a changed one is again what it was; either way its text is here again. */
  async #takeBack(id: string, data: DraftData, was: NewMessage | undefined): Promise<Said> {
    if (was === undefined) await this.#desk.api.cancelMessage(id);
    else await this.#desk.api.changeMessage(id, was);
    const hadBegun = !this.#draft.isEmpty;
    const restore = this.#draft.takeUp(data, true);
    const says = was === undefined ? text.takenBack : text.changedBack;
    if (restore !== undefined) return { text: says, action: { label: text.backToOther, run: restore } };
    return { text: hadBegun ? `${says} ${text.otherWaits}` : says };
  }

  async #during(run: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await run();
    } catch (error) {
      const says = error instanceof Unreachable ? text.unknownIfSent : text.failed(errorText(error));
      this.#desk.toasts.show({ text: says, tone: "bad" });
    } finally {
      this.busy = false;
    }
  }
}
