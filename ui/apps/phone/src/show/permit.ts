// What the desk lets this phone do in the show's stage, so that screens offer only what it will take.
//
// The desk decides; this only saves people from an entry that would be refused. Its tables are `permission.rs` and
// `permit.rs` of the domain.

import type { Session } from "@showdesk/sync";

/** Things a phone can do. */
export type Action = "check_in" | "see_papers" | "weigh" | "fix_tag" | "send_message";

/** Whose rights: what the desk has told, or what follows from the jobs until it has. */
export type Who = Pick<Session, "functions" | "permissions">;

interface Rule {
  /** Permissions of which one is enough. */
  readonly keys: readonly string[];
  /** Jobs that have one of them by themselves. */
  readonly jobs: readonly string[];
  readonly stages: string;
}

const RULES: Readonly<Record<Action, Rule>> = {
  check_in: { keys: ["check_in", "arrive"], jobs: ["checkin", "gate", "superintendent"], stages: "BC" },
  see_papers: { keys: ["health"], jobs: ["vet"], stages: "BCD" },
  weigh: { keys: ["weigh"], jobs: ["scale"], stages: "BCD" },
  send_message: { keys: ["messages"], jobs: ["announcer"], stages: "BCDE" },
  fix_tag: { keys: ["fix_tags"], jobs: ["superintendent"], stages: "AB" },
};
/** A manager does everything, before the first animal comes and until the results are out. */
const MANAGER = "admin";
const MANAGER_STAGES = "ABCD";
/** But for messages, which never close. */
const ALL_STAGES = "ABCDE";

/** Whether the action is open to them in this stage. */
export function may(action: Action, who: Who, stage: string): boolean {
  const ofManager = action === "send_message" ? ALL_STAGES : MANAGER_STAGES;
  const stages = who.functions.includes(MANAGER) ? ofManager : RULES[action].stages;
  return stage !== "" && stages.includes(stage) && hasJob(action, who);
}

/** Whether the action is ever theirs. */
export function hasJob(action: Action, { functions, permissions }: Who): boolean {
  const { keys, jobs } = RULES[action];
  if (functions.includes(MANAGER)) return true;
  return permissions ? keys.some((key) => permissions.includes(key)) : jobs.some((job) => functions.includes(job));
}
