// What a draft would come to if it were sent now: whom it reaches, and how it reads with everything filled in.

import { ApiProblem } from "@showdesk/api";

import type { MessagePreview, Reach } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorSentence } from "../../data/error-text.ts";
import type { Draft } from "./draft.svelte.ts";
import { onlyClass } from "./audience.ts";
import { TEXT_LETTERS } from "./split.ts";

/** A pause in typing this long asks. */
export const TYPING_MS = 200;

export class Outlook {
  readonly #desk: Desk;
  readonly #draft: Draft;
  reach = $state.raw<Reach | undefined>(undefined);
  preview = $state.raw<MessagePreview | undefined>(undefined);
  /** Why it cannot be sent as it stands, in the server's words. */
  problem = $state.raw<string | undefined>(undefined);
  /** Whether the last question got no answer. */
  failed = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(desk: Desk, draft: Draft) {
    this.#desk = desk;
    this.#draft = draft;
  }

  /** The draft is another one: asks when the typing pauses. */
  follow(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.ask(), TYPING_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  async ask(): Promise<void> {
    const asked = ++this.#asked;
    const [reach, preview] = await Promise.allSettled([this.#reach(), this.#preview()]);
    if (asked !== this.#asked) return;
    this.failed = reach.status === "rejected";
    if (reach.status === "fulfilled") this.reach = reach.value;
    if (preview.status === "fulfilled") {
      this.preview = preview.value;
      this.problem = undefined;
      return;
    }
    this.preview = undefined;
    const isRefused = preview.reason instanceof ApiProblem && preview.reason.status < 500;
    this.problem = isRefused ? errorSentence(preview.reason) : undefined;
  }

  /** An audience that names nobody reaches nobody: that needs no question. */
  #reach(): Promise<Reach> {
    if (this.#draft.data.parts.length === 0) return Promise.resolve(NOBODY);
    return this.#desk.api.reach(this.#draft.audience);
  }

  #preview(): Promise<MessagePreview | undefined> {
    const { split, data, audience, letters } = this.#draft;
    if (split.title === "" || data.parts.length === 0 || letters > TEXT_LETTERS) return Promise.resolve(undefined);
    const of = onlyClass(data.parts)?.id;
    return this.#desk.api.previewMessage({
      title: split.title,
      ...(split.body !== "" && { body: split.body }),
      audience,
      ...(data.when === "before" && of !== undefined && { before_class: { class_id: of, minutes: data.minutes } }),
    });
  }
}

const NOBODY: Reach = { people: 0, devices: 0, away: 0, parts: [] };
