// Why joining did not work, in words that say what to do.

import { ApiProblem, Unreachable } from "@showdesk/api";
import { OtherShowFirst, StorageFull } from "@showdesk/sync";

import { sentence } from "../../show/sentence.ts";
import { words } from "../../words.ts";

/** A title and what to do. */
export interface JoinProblem {
  readonly title: string;
  readonly text: string;
  /** The laptop did not answer: nobody did anything wrong, and the next try may do. */
  readonly isAway: boolean;
}

const { join } = words;

/** What to tell the person. */
export function joinProblem(error: unknown): JoinProblem {
  if (error instanceof OtherShowFirst) return told(join.otherShow(error.waiting), join.otherShowHint);
  if (error instanceof StorageFull) return told(join.notKept, join.notKeptHint);
  if (error instanceof Unreachable) return unreachable(error);
  if (!(error instanceof ApiProblem)) return told(join.failed, join.tryAgain);
  if (error.status === 404) return told(join.unknown, join.unknownHint);
  if (error.status === 410) return told(join.usedUp, join.usedUpHint);
  if (error.status === 429) {
    const { retryAfterMs } = error.more;
    return told(join.tooMany, join.tooManyHint(retryAfterMs === null ? null : Math.ceil(retryAfterMs / 1_000)));
  }
  return told(join.failed, sentence(error.detail));
}

/** The desk said no. */
export function refusedProblem(): JoinProblem {
  return told(join.refused, join.refusedHint);
}

/** Nobody tapped Allow, or the phone was away when somebody did. */
export function expiredProblem(): JoinProblem {
  return told(join.tooLate, join.tooLateHint);
}

/** A new number could not be had, and the one before still stands. */
export function oldNumberStands(problem: JoinProblem, number: string): JoinProblem {
  return { ...problem, text: `${problem.text} ${join.stillGood(number)}` };
}

function unreachable({ reason }: Unreachable): JoinProblem {
  switch (reason) {
    case "not_json":
      return told(join.portal, join.portalHint, true);
    case "timeout":
      return told(join.slow, join.slowHint, true);
    case "clock_wrong":
    case "untrusted":
    case "network":
    case "other_installation":
      return told(join.away, join.awayHint, true);
  }
}

function told(title: string, text: string, isAway: boolean = false): JoinProblem {
  return { title, text, isAway };
}
