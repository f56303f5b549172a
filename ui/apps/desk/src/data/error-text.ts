// What an error says to a person, with the number to name when asking for help.

import { ApiProblem, Unreachable } from "@showdesk/api";

import { words } from "../text/words.ts";

export function errorText(error: unknown): string {
  if (error instanceof ApiProblem) {
    const { requestId } = error.more;
    const text = sentence(error.detail);
    return requestId === null || error.status < 500 ? text : words.error.withId(text, requestId);
  }
  return error instanceof Unreachable ? words.error.away : words.error.unknown;
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
