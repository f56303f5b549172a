// An entry in the words of its author: "0388  1,286 lb".

import type { StoredOp } from "@showdesk/sync";

import { kindText } from "../../parts/kind.ts";
import { exhibitorOf, type Book } from "../../show/book.ts";
import { weightText } from "../../show/format.ts";
import { words } from "../../words.ts";

/** What an entry was, and which job it belongs to. */
export interface Described {
  readonly what: string;
  readonly job: string;
}

/** Describes one entry of this phone. */
export function describe(op: StoredOp, book: Book): Described {
  if (op.table_name === "weigh_ins") return describeWeighIn(op, book);
  if (op.table_name === "animals") return describeAnimal(op, book);
  if (op.table_name === "announcements") return describeMessage(op);
  return { what: words.entry.other, job: op.table_name };
}

/** The animal of an entry, for a list where the job is plain: "0398 Angus steer", "Cole Hanley, pen C-12". */
export function describeSubject(op: StoredOp, book: Book): { readonly what: string; readonly who: string } {
  const id = op.table_name === "animals" ? op.record_id : text(op.data["animal_id"]);
  const animal = id === null ? undefined : book.animals.get(id);
  if (op.table_name === "announcements") return { what: describeMessage(op).what, who: words.entry.message };
  if (animal === undefined) return { what: tagOf(book, id), who: "" };
  const who = [exhibitorOf(book, animal)?.name, animal.pen === null ? undefined : words.find.pen(animal.pen)];
  return { what: `${tagOf(book, id)} ${kindText(animal)}`, who: who.filter(Boolean).join(", ") };
}

function describeWeighIn(op: StoredOp, book: Book): Described {
  const job = words.weighIn.title;
  if (op.operation === "insert") {
    const { animal_id, tag_read, weight_x10, unit } = op.data;
    const tag = text(tag_read) ?? tagOf(book, text(animal_id));
    const weight = weightText(typeof weight_x10 === "number" ? weight_x10 : 0, text(unit) ?? book.show.unit);
    return { what: words.entry.weight(tag, weight), job };
  }
  return { what: words.entry.taken(tagOf(book, book.weighInById.get(op.record_id)?.animalId ?? null)), job };
}

function describeMessage(op: StoredOp): Described {
  const title = text(op.data["title"]);
  return { what: title ?? words.entry.messageTakenBack, job: words.entry.message };
}

function describeAnimal(op: StoredOp, book: Book): Described {
  const tag = tagOf(book, op.record_id);
  if ("tag" in op.data) {
    const from = text(op.base?.["tag"]) ?? words.none;
    return { what: words.entry.tag(from, text(op.data["tag"]) ?? words.none), job: words.tag.title };
  }
  if ("arrived_at" in op.data) {
    const isUndone = op.data["arrived_at"] === null;
    return { what: isUndone ? words.checkIn.undone(tag) : words.checkIn.done(tag), job: words.checkIn.title };
  }
  return { what: words.entry.changed(tag), job: words.checkIn.title };
}

function tagOf(book: Book, animalId: string | null): string {
  const animal = animalId === null ? undefined : book.animals.get(animalId);
  return animal?.tag ?? animal?.name ?? words.animal.noTag;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
