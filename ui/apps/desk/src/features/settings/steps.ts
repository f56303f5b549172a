// What a step between two neighbouring stages closes and opens. Going back turns the same step round.

import { settingsWords, STAGES, type Stage } from "../../text/settings-words.ts";

type Steps = typeof settingsWords.stage.steps;
type Step = Steps[keyof Steps];

const NONE: Step = { closes: [], opens: [] };

/** `isWeighed`: with the first weight the unit is fixed for good, whatever the stage. */
export function stepBetween(from: Stage, to: Stage, isWeighed: boolean): Step {
  const earlier = STAGES[Math.min(STAGES.indexOf(from), STAGES.indexOf(to))];
  const on = earlier === undefined || earlier === "E" ? NONE : settingsWords.stage.steps[earlier];
  const closes = isWeighed ? on.closes.filter((right) => right.what !== settingsWords.stage.changesUnit) : on.closes;
  return to > from ? { closes, opens: on.opens } : { closes: on.opens, opens: closes };
}
