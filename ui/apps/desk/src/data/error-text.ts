// What an error says to a person, with the number to name when asking for help.

import { ApiProblem, Unreachable } from "@showdesk/api";

import { words } from "../text/words.ts";

export function errorText(error: unknown): string {
  const id = errorId(error);
  return id === undefined ? errorSentence(error) : words.error.withId(errorSentence(error), id);
}

/** The same without the number, where that stands by itself. */
export function errorSentence(error: unknown): string {
  if (error instanceof ApiProblem) return sentence(error.detail);
  return error instanceof Unreachable ? words.error.away : words.error.unknown;
}

/** The number of a fault of the desk itself, to name when asking for help. */
export function errorId(error: unknown): string | undefined {
  return error instanceof ApiProblem && error.status >= 500 ? (error.more.requestId ?? undefined) : undefined;
}

/** A sentence of the server, written like ours. */
export function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
