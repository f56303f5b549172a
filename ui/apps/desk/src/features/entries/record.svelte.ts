// One animal's record: what it is now, and everything that was saved about it.

import { ApiProblem } from "@showdesk/api";

import type { EntryRecord } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { textAt } from "../../text/json.ts";
import type { ShowText } from "../../text/format.ts";
import { Resource } from "../../data/resource.svelte.ts";
import { newestOf, type Version } from "./versions.ts";

export class AnimalRecord {
  readonly desk: Desk;
  readonly animal: string;
  readonly detail: Resource<EntryRecord> = new Resource(() => this.#read());
  readonly history: Resource<readonly Version[]> = new Resource(() => this.#versions());

  constructor(desk: Desk, animal: string) {
    this.desk = desk;
    this.animal = animal;
  }

  /** The rows as they are now, by id, with every field. */
  readonly newest = $derived.by(() => newestOf(this.history.data ?? []));

  /** How values are written here: with the names of the people and classes this record speaks of. */
  readonly show: ShowText = $derived.by(() => {
    const { show } = this.desk;
    const classes = (this.detail.data?.entries ?? []).map((entry) => [entry.class.id, entry.class.name]);
    const people = (this.history.data ?? []).map(({ actor }) => [
      textAt(actor, "id") ?? "",
      textAt(actor, "name") ?? "",
    ]);
    const animal = this.detail.data?.animal;
    const exhibitor = animal === undefined ? [] : [[animal.exhibitor_id, animal.exhibitor]];
    const tag = !animal?.tag ? [] : [[animal.animal_id, `#${animal.tag}`]];
    const known = [...people, ...classes, ...exhibitor, ...tag].filter(([id, name]) => id !== "" && name !== "");
    return { ...show, names: { ...show.names, ...Object.fromEntries(known) } };
  });

  /** Whether there is no such animal any more. */
  readonly gone = $derived(this.detail.error instanceof ApiProblem && this.detail.error.status === 404);

  refresh(): void {
    void this.detail.refresh();
  }

  async #read(): Promise<EntryRecord> {
    const detail = await this.desk.api.entry(this.animal);
    // Its rows may be new ones: their versions are asked for with the ids that have just come.
    this.#rows = rowsOf(this.animal, detail);
    void this.history.refresh();
    return detail;
  }

  #rows: readonly (readonly [string, string])[] = [];

  async #versions(): Promise<Version[]> {
    const lists = await Promise.all(
      this.#rows.map(async ([table, id]) => {
        const items = await this.desk.api.history(table, id);
        return items.map((item): Version => ({ ...item, table, id }));
      }),
    );
    return lists.flat();
  }
}

function rowsOf(animal: string, detail: EntryRecord): [string, string][] {
  return [
    ["animals", animal],
    ...detail.weigh_ins.map(({ id }): [string, string] => ["weigh_ins", id]),
    ...detail.entries.flatMap(({ id, placing }): [string, string][] => [
      ["entries", id],
      ...(!placing ? [] : [["placings", placing.id] satisfies [string, string]]),
    ]),
  ];
}
