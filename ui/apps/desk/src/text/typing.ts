// Reading what a person types in place of a value, with the same limits as the forms and the server.
//
// Pure.

import { choiceText, fieldText } from "./fields.ts";
import { decimal, parseWeight, type ShowText } from "./format.ts";
import type { Json } from "./json.ts";
import { words } from "./words.ts";
import { fromLocal, toLocal } from "./local-time.ts";

/** Limits of whole numbers, by field. */
const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  back_number: [1, 999_999],
  catalogue_no: [1, 999_999],
  place: [1, 999],
  seq: [0, 9_999],
};
const NUMBER: readonly [number, number] = [0, 999_999_999];
/** Heaviest weight, in tenths. */
const WEIGHT_X10_MAX = 99_999;
const CODE_CHARS = 20;
const NAME_CHARS = 200;
const NOTE_CHARS = 10_000;

/** Ids are chosen, never typed; so are lists, and what the desk works out itself. */
export function isTypable(field: string): boolean {
  const { kind, choices } = fieldText(field);
  if (kind === "choice") return choices !== undefined;
  return kind !== "record" && kind !== "person" && kind !== "list" && kind !== "gain";
}

/** What may be chosen for a field; undefined where it is typed. */
export function typedChoices(field: string): readonly { value: string; label: string }[] | undefined {
  const { kind, choices } = fieldText(field);
  if (kind === "flag") {
    return [
      { value: "true", label: words.yes },
      { value: "false", label: words.no },
    ];
  }
  return choices?.map((word) => ({ value: word, label: choiceText(word) }));
}

/** The kind of input that a field is typed into. */
export function inputType(field: string): "text" | "date" | "datetime-local" {
  const { kind } = fieldText(field);
  if (kind === "date") return "date";
  return kind === "instant" ? "datetime-local" : "text";
}

/** A value as a person would type it. */
export function typedText(field: string, json: Json | undefined, show: ShowText): string {
  if (json === null || json === undefined) return "";
  const { kind } = fieldText(field);
  if (kind === "weight" && typeof json === "number") return decimal(json).replaceAll(",", "");
  if (kind === "instant" && typeof json === "string") return toLocal(json, show.timezone);
  return typeof json === "object" ? "" : String(json);
}

/** A typed text as the value of its field, or what is wrong with it. */
export function readTyped(field: string, text: string, show: ShowText): { value: Json } | { fault: string } {
  const trimmed = text.trim();
  if (trimmed === "") return { fault: words.checks.notEmpty };
  switch (fieldText(field).kind) {
    case "weight":
      return readWeight(trimmed, show.unit);
    case "number":
      return readNumber(field, trimmed);
    case "flag":
      return { value: trimmed === "true" };
    case "code":
      return readCode(trimmed);
    case "date":
      return isDay(trimmed) ? { value: trimmed } : { fault: words.checks.notDate };
    case "instant": {
      const at = fromLocal(trimmed, show.timezone);
      return at === undefined ? { fault: words.checks.notMoment } : { value: at };
    }
    case "text":
      return readText(trimmed, field === "note" ? NOTE_CHARS : NAME_CHARS);
    default:
      return { value: trimmed };
  }
}

function readWeight(text: string, unit: string): { value: Json } | { fault: string } {
  const x10 = parseWeight(text);
  if (x10 === undefined || x10 > WEIGHT_X10_MAX) return { fault: words.checks.notWeight };
  // A weight typed with the other unit would be read wrong by half.
  const typed = /(lb|kg)$/i.exec(text)?.[1]?.toLowerCase();
  return typed === undefined || typed === unit ? { value: x10 } : { fault: words.checks.otherUnit(unit) };
}

function readNumber(field: string, text: string): { value: Json } | { fault: string } {
  if (!/^\d{1,9}$/.test(text)) return { fault: words.checks.notWhole };
  const [from, to] = NUMBERS[field] ?? NUMBER;
  const number = Number(text);
  if (number >= from && number <= to) return { value: number };
  return { fault: words.checks.notBetween(from.toLocaleString("en-US"), to.toLocaleString("en-US")) };
}

function readCode(text: string): { value: Json } | { fault: string } {
  const code = text.toUpperCase();
  if (code.length > CODE_CHARS) return { fault: words.checks.tooLong(CODE_CHARS) };
  return { value: code };
}

function readText(text: string, most: number): { value: Json } | { fault: string } {
  return text.length > most ? { fault: words.checks.tooLong(most) } : { value: text };
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}
