// Rows of the show as the phone's screens use them, read from the JSON that the desk sent. A value of the wrong type reads as absent.

import type { Fields, LocalRow } from "@showdesk/sync";

/** An animal at the show. */
export interface Animal {
  readonly id: string;
  readonly exhibitorId: string | null;
  readonly species: string;
  readonly sex: string | null;
  readonly breed: string | null;
  readonly name: string | null;
  readonly tag: string | null;
  readonly officialId: string | null;
  readonly prevTags: readonly string[];
  readonly initWeightX10: number | null;
  readonly initWeighedOn: string | null;
  readonly arrivedAt: string | null;
  readonly idCheck: string;
  readonly healthCheck: string;
  readonly pen: string | null;
  readonly officialWeightX10: number | null;
  /** Fields that a person at the desk must decide. */
  readonly disputed: readonly string[];
  /** Whether it shows an entry of this phone that the desk has not told back. */
  readonly isOwn: boolean;
}

/** Somebody who shows animals. */
export interface Exhibitor {
  readonly id: string;
  readonly backNumber: number | null;
  readonly name: string;
  readonly club: string | null;
}

/** One weighing. */
export interface WeighIn {
  readonly id: string;
  readonly animalId: string | null;
  readonly kind: string;
  readonly weightX10: number;
  readonly weighedAt: string | null;
  readonly replacesId: string | null;
  readonly isVoid: boolean;
}

/** The show itself. */
export interface Show {
  readonly id: string;
  readonly name: string;
  readonly stage: string;
  readonly unit: "lb" | "kg";
  readonly timeZone: string | null;
}

export function readAnimal({ id, data, told, disputed, isOwn }: LocalRow): Animal {
  return {
    id,
    exhibitorId: text(data, "exhibitor_id"),
    species: text(data, "species") ?? "",
    sex: text(data, "sex"),
    breed: text(data, "breed"),
    name: text(data, "name"),
    tag: text(data, "tag"),
    officialId: text(data, "official_id"),
    prevTags: prevTags(data, told),
    initWeightX10: integer(data, "init_weight_x10"),
    initWeighedOn: text(data, "init_weighed_on"),
    arrivedAt: text(data, "arrived_at"),
    idCheck: text(data, "id_check") ?? "unchecked",
    healthCheck: text(data, "health_check") ?? "unchecked",
    pen: text(data, "pen"),
    officialWeightX10: integer(data, "official_weight_x10"),
    disputed,
    isOwn,
  };
}

export function readExhibitor({ id, data }: LocalRow): Exhibitor {
  const name = [text(data, "first_name"), text(data, "last_name")].filter((part) => part !== null).join(" ");
  return { id, backNumber: integer(data, "back_number"), name, club: text(data, "club_chapter") };
}

export function readWeighIn({ id, data }: LocalRow): WeighIn {
  return {
    id,
    animalId: text(data, "animal_id"),
    kind: text(data, "kind") ?? "",
    weightX10: integer(data, "weight_x10") ?? 0,
    weighedAt: text(data, "weighed_at"),
    replacesId: text(data, "replaces_id"),
    isVoid: text(data, "voided_at") !== null,
  };
}

export function readShow({ id, data }: LocalRow): Show {
  return {
    id,
    name: text(data, "name") ?? "",
    stage: text(data, "stage") ?? "A",
    unit: text(data, "weight_unit") === "kg" ? "kg" : "lb",
    timeZone: text(data, "timezone"),
  };
}

/** Tags it wore before: as the desk tells them, and the one that an entry of this phone has just replaced. */
function prevTags(data: Fields, told: Fields | null): readonly string[] {
  const known = texts(data, "prev_tags");
  const before = told === null ? null : text(told, "tag");
  const isNew = before !== null && before !== text(data, "tag") && !known.includes(before);
  return isNew ? [...known, before] : known;
}

function text(data: Fields, name: string): string | null {
  const value = data[name];
  return typeof value === "string" && value !== "" ? value : null;
}

function integer(data: Fields, name: string): number | null {
  const value = data[name];
  return typeof value === "number" && Number.isSafeInteger(value) ? value : null;
}

function texts(data: Fields, name: string): readonly string[] {
  const value = data[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
