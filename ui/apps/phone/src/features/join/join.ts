// Why joining did not work, in words that say what to do.

import { ApiProblem, Unreachable } from "@showdesk/api";
import { OtherShowFirst } from "@showdesk/sync";

import { words } from "../../words.ts";

/** A title and what to do. */
export interface JoinProblem {
  readonly title: string;
  readonly text: string;
}

/** What to tell the person. */
export function joinProblem(error: unknown): JoinProblem {
  const { join } = words;
  if (error instanceof OtherShowFirst) return { title: join.otherShow(error.waiting), text: join.otherShowHint };
  if (error instanceof Unreachable) return { title: join.away, text: join.awayHint };
  if (!(error instanceof ApiProblem)) return { title: join.failed, text: join.tryAgain };
  if (error.status === 404 || error.status === 410) return { title: join.usedUp, text: join.usedUpHint };
  if (error.status === 429) return { title: join.tooMany, text: join.tooManyHint };
  return { title: join.failed, text: error.detail };
}

/** The desk said no. */
export function refusedProblem(): JoinProblem {
  return { title: words.join.refused, text: words.join.refusedHint };
}

/** The claim is too old. */
export function expiredProblem(): JoinProblem {
  return { title: words.join.usedUp, text: words.join.usedUpHint };
}
