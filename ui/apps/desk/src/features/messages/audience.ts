// The chips of a message and the audience that they are. Pure.

import type { Audience, AudienceItem, PartKind, Reach } from "../../data/desk-api.ts";
import { choiceText } from "../../text/fields.ts";
import { words } from "../../text/words.ts";

/** One chip: whom, and what people call them. */
export interface Part {
  kind: PartKind;
  id: string;
  label: string;
}

const LISTS = {
  function: "functions",
  ring: "rings",
  department: "departments",
  class: "class_ids",
  exhibitor: "exhibitor_ids",
} as const;
type ListKind = keyof typeof LISTS;
const KINDS: readonly ListKind[] = ["class", "ring", "department", "function", "exhibitor"];

export function keyOf(part: Pick<Part, "kind" | "id">): string {
  return part.kind === "everybody" ? "everybody" : `${part.kind}:${part.id}`;
}

/** Everybody takes the others in: it stands alone. */
export function withPart(parts: readonly Part[], added: Part): Part[] {
  if (added.kind === "everybody") return [added];
  const others = parts.filter((part) => part.kind !== "everybody" && keyOf(part) !== keyOf(added));
  return [...others, added];
}

export function audienceOf(parts: readonly Part[]): Audience {
  if (parts.some((part) => part.kind === "everybody")) return { everybody: true };
  const audience: Record<string, string[]> = {};
  for (const { kind, id } of parts) {
    if (kind !== "everybody") audience[LISTS[kind]] = [...(audience[LISTS[kind]] ?? []), id];
  }
  return audience;
}

export function isToEverybody(audience: Audience): boolean {
  return audience.everybody === true;
}

/** The chips of an audience that was kept; `reach` knows what they are called. */
export function partsOf(audience: Audience, reach: Pick<Reach, "parts"> | undefined): Part[] {
  const labels = new Map(reach?.parts.map((part) => [part.key, part.label]));
  if (audience.everybody === true) return [{ kind: "everybody", id: "everybody", label: words.messages.everybody }];
  return KINDS.flatMap((kind) =>
    (audience[LISTS[kind]] ?? []).map((id) => {
      const label = labels.get(`${kind}:${id}`);
      return { kind, id, label: label === undefined ? nameOf(kind, id) : partLabel({ kind, id, label }) };
    }),
  );
}

/** What the desk here says for the words that it knows, else what the server calls it. */
export function partLabel(item: Pick<AudienceItem, "kind" | "id" | "label">): string {
  switch (item.kind) {
    case "everybody":
    case "function":
    case "department":
      return nameOf(item.kind, item.id);
    case "ring":
    case "class":
    case "exhibitor":
      return item.label;
  }
}

function nameOf(kind: PartKind, id: string): string {
  switch (kind) {
    case "everybody":
      return words.messages.everybody;
    case "function":
      return words.messages.crew[id] ?? id;
    case "department":
      return choiceText(id);
    case "ring":
    case "class":
    case "exhibitor":
      return words.messages.partUnknown[kind];
  }
}

export function peopleOf(part: Part, reach: Pick<Reach, "parts"> | undefined): number | undefined {
  return reach?.parts.find(({ key }) => key === keyOf(part))?.people;
}

/** The class that a message fills in and counts by: the only one it is for. */
export function onlyClass(parts: readonly Part[]): Part | undefined {
  const classes = parts.filter((part) => part.kind === "class");
  return classes.length === 1 ? classes[0] : undefined;
}
