// What all screens share: the numbers of the show, the phones, the clock, and how values are written.

import { Unreachable } from "@showdesk/api";
import { Toasts } from "@showdesk/components";
import { createContext } from "svelte";

import type { ShowText } from "../text/format.ts";
import { textAt } from "../text/json.ts";
import { Router } from "../shell/router.svelte.ts";
import type { ConflictView, DeskApi, Row } from "./desk-api.ts";
import { Live } from "./live.svelte.ts";
import { Resource } from "./resource.svelte.ts";
import { Saving } from "./saving.svelte.ts";
import { isSignedOut } from "./session.ts";

/** How often words like "away 29 min" move on. */
const TICK_MS = 10_000;
/** Most names looked up for one screen. */
const NAMES_MAX = 40;

export class Desk {
  readonly api: DeskApi;
  readonly saving = new Saving();
  readonly live = new Live();
  readonly router = new Router();
  readonly toasts = new Toasts();
  readonly overview = new Resource(() => this.api.overview());
  readonly devices = new Resource(() => this.api.devices());
  readonly requests = new Resource(() => this.api.waitingPairings());
  readonly addresses = new Resource(() => this.api.addresses());
  readonly alerts = new Resource(() => this.api.alertRules());
  now = $state(Date.now());
  #records = $state.raw<Readonly<Record<string, string>>>({});
  // No screen follows it.
  readonly #asked: Record<string, Promise<void> | undefined> = {};

  constructor(api: DeskApi) {
    this.api = this.saving.watch(api);
  }

  /** Everything a text needs to know about this show. */
  readonly show: ShowText = $derived({
    unit: textAt(this.overview.data?.show, "weight_unit") ?? "lb",
    timezone: textAt(this.overview.data?.show, "timezone") ?? "UTC",
    now: this.now,
    names: this.#peopleAndRecords(),
  });

  readonly phones = $derived(
    (this.devices.data ?? []).filter((device) => device.kind === "phone" && !device.revoked_at),
  );

  /** Whether the program on the laptop does not answer: by its stream, or by the last question. */
  readonly away = $derived(this.live.away || this.overview.error instanceof Unreachable);

  /** Whether the desk's token was refused. */
  readonly signedOut = $derived(isSignedOut(this.overview.error));

  /** Runs until the signal aborts. */
  start(signal: AbortSignal): void {
    const tick = setInterval(() => (this.now = Date.now()), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(tick));
    this.live.on((wake) => {
      this.now = Date.now();
      if (wake === "pairings") this.#refreshPhones();
      else if (wake === "conflict") void this.overview.refresh();
      else if (wake === "alerts") void this.alerts.refresh();
      else if (wake === "poke") this.#refreshNumbers();
    });
    this.#refreshNumbers();
    void this.requests.refresh();
    void this.alerts.refresh();
    this.live.start(this.api, signal);
  }

  #refreshNumbers(): void {
    void this.overview.refresh();
    void this.devices.refresh();
    void this.addresses.refresh();
  }

  /** Who asks to join, and who is in: a phone that was let in stands in the list at once. */
  #refreshPhones(): void {
    void this.requests.refresh();
    void this.devices.refresh();
    void this.overview.refresh();
  }

  #peopleAndRecords(): Readonly<Record<string, string>> {
    const people = (this.devices.data ?? []).map((device) => device.user);
    if (this.overview.data !== undefined) people.push(this.overview.data.person);
    return { ...this.#records, ...Object.fromEntries(people.map((person) => [person.id, person.name])) };
  }

  /** Looks up what the ids in a clash stand for, so that people read names. */
  async learnNames(view: ConflictView): Promise<void> {
    const rows = [view.base_data, view.client_data, view.server_data];
    // What an entry belongs to and never came has no name to ask for.
    const fields = view.kind === "missing_reference" ? [] : view.contested;
    const wanted = [
      ...referencesOf(rows, fields),
      ...Object.values(view.records ?? {}).flatMap((part) =>
        referencesOf([part.client, part.server], Object.keys(POINTS_TO)),
      ),
    ];
    await Promise.all(wanted.slice(0, NAMES_MAX).map(({ table, id }) => this.#learnOnce(table, id)));
  }

  /** Looks up what the ids in one row stand for. */
  async learnRow(row: Row): Promise<void> {
    await Promise.all(referencesOf([row], Object.keys(POINTS_TO)).map(({ table, id }) => this.#learnOnce(table, id)));
  }

  /** Whoever asks for the same name meanwhile waits for the same answer. */
  #learnOnce(table: string, id: string): Promise<void> {
    const running = this.#asked[id] ?? this.#learn(table, id);
    this.#asked[id] = running;
    return running;
  }

  async #learn(table: string, id: string): Promise<void> {
    try {
      const snapshot = (await this.api.history(table, id))[0]?.snapshot;
      const person = [textAt(snapshot, "first_name"), textAt(snapshot, "last_name")].filter(Boolean).join(" ");
      const animal = textAt(snapshot, "animal_id");
      // An entry has no name of its own: people know the animal.
      if (table === "entries" && animal !== undefined) await this.#learnOnce("animals", animal);
      const known = table === "entries" && animal !== undefined ? (this.#records[animal] ?? "") : person;
      const name = textAt(snapshot, "name") ?? textAt(snapshot, "tag") ?? known;
      if (name !== "") this.#records = { ...this.#records, [id]: name };
    } catch {
      // Without the name the id stands there; the decision does not depend on it.
      this.#asked[id] = undefined;
    }
  }
}

/** What these fields of the rows point to. */
function referencesOf(rows: readonly (Row | undefined)[], fields: readonly string[]): { table: string; id: string }[] {
  return fields.flatMap((field) => {
    const table = POINTS_TO[field];
    if (table === undefined) return [];
    const ids = new Set(rows.map((row) => textAt(row, field)));
    return [...ids].flatMap((id) => (id === undefined ? [] : [{ table, id }]));
  });
}

const POINTS_TO: Readonly<Record<string, string>> = {
  animal_id: "animals",
  class_id: "classes",
  entry_id: "entries",
  exhibitor_id: "exhibitors",
  family_id: "classes",
  ring_id: "rings",
};

export const [getDesk, setDesk] = createContext<Desk>();
