// What the person's functions allow in the show's stage, so that screens offer only what the desk will take.
//
// The desk decides; this only saves people from an entry that would be refused. Its table is `permit.rs` of the domain.

/** Things a phone can do. */
export type Action = "check_in" | "see_papers" | "weigh" | "fix_tag";

const ALLOWED: Readonly<Record<Action, Readonly<Record<string, string>>>> = {
  check_in: { admin: "ABCD", superintendent: "ABC", checkin: "BC", gate: "B" },
  see_papers: { admin: "ABCD", superintendent: "ABC", vet: "BCD" },
  weigh: { admin: "ABCD", superintendent: "BC", scale: "BCD" },
  fix_tag: { admin: "ABCD", superintendent: "ABC" },
};

/** Whether one of the functions allows the action in this stage. */
export function may(action: Action, functions: readonly string[], stage: string): boolean {
  return stage !== "" && functions.some((name) => (ALLOWED[action][name] ?? "").includes(stage));
}

/** Whether one of the functions ever has this job. */
export function hasJob(action: Action, functions: readonly string[]): boolean {
  return functions.some((name) => name in ALLOWED[action]);
}
