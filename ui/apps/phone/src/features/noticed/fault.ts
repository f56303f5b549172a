// What is told of an error: what it was and where in the page, and nothing that a person typed.

import { ApiProblem, Unreachable } from "@showdesk/api";
import { StorageFull } from "@showdesk/sync";
import type { Fault } from "@showdesk/sync/noticed";

import { laterWords } from "../../later-words.ts";

const MESSAGE_MAX = 300;
const FRAMES_MAX = 12;
const FRAME_MAX = 160;

/** Where the page was. */
export interface Place {
  /** The name of the screen, without which animal it shows. */
  readonly screen: string;
  /** How the page is kept on this phone. */
  readonly level: string;
  readonly origin: string;
}

/** No faults of the page: the laptop is away, somebody left a screen, a browser that tells nothing or grumbles. */
const NO_FAULT = /^(?:Script error\.?$|ResizeObserver loop)/;

/** What to tell of an error; nothing, if it is none of ours. */
export function faultOf(error: unknown, { screen, level, origin }: Place, atMs: number): Fault | undefined {
  if (error instanceof Unreachable || nameOf(error) === "AbortError") return undefined;
  // One problem, whichever screen found it.
  if (error instanceof StorageFull) {
    return { type: error.name, message: laterWords.noticed.storageFull, stack: "", context: { level }, atMs };
  }
  const message = messageOf(error);
  if (NO_FAULT.test(message)) return undefined;
  const stack = isError(error) ? framesOf(error.stack ?? "", origin) : "";
  return { type: nameOf(error), message, stack, context: { level, page: screen }, atMs };
}

/** Also one of another frame, and of a browser whose own errors are none to the language. */
function isError(error: unknown): error is Error {
  if (typeof error !== "object" || error === null) return false;
  return typeof (error as Partial<Error>).name === "string" && typeof (error as Partial<Error>).message === "string";
}

function nameOf(error: unknown): string {
  return isError(error) ? error.name : typeof error;
}

function messageOf(error: unknown): string {
  if (error instanceof ApiProblem) return `the laptop refused: ${error.status} ${error.code}`;
  if (isError(error)) return bare(error.message);
  return typeof error === "string" ? bare(error) : "something was thrown that is no error";
}

/** Numbers and quoted texts of a message may be what somebody entered; the name of a property is the page's own. */
function bare(message: string): string {
  const kept = message.replace(
    /(\((?:reading|setting) '[\w$]+'\))|"[^"]*"|'[^']*'|`[^`]*`|“[^”]*”|\d+/g,
    (found, property: string | undefined) => property ?? (/^\d/.test(found) ? "#" : "“…”"),
  );
  return kept.slice(0, MESSAGE_MAX);
}

/** A place in a file, as Chromium or as Safari and Firefox write it. The message above them is left out. */
const FRAME = /^(?:\s*at .+|[^\s@]*@\S+):\d+:\d+\)?$/;

function framesOf(stack: string, origin: string): string {
  const frames = stack.split("\n").filter((line) => FRAME.test(line));
  return frames
    .slice(0, FRAMES_MAX)
    .map((line) => line.trim().replaceAll(origin, "").slice(0, FRAME_MAX))
    .join("\n");
}
