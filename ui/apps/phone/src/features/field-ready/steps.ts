// The steps to a phone that opens without Wi-Fi, and how far it is.

/** In their order. */
export const STEPS = ["download", "switch_on", "open", "add", "start"] as const;
export type StepName = (typeof STEPS)[number];

/** What is known of the phone. */
export interface Progress {
  /** The page came with the certificate. */
  readonly isSecure: boolean;
  /** The certificate's download was tapped. */
  readonly isDownloaded: boolean;
  /** The phone trusts the certificate. */
  readonly isTrusted: boolean;
  readonly isAdded: boolean;
  readonly fromHomeScreen: boolean;
}

/** A step, and whether it is behind the person, the one to do now, or still to come. */
export interface Step {
  readonly name: StepName;
  readonly state: "done" | "now" | "later";
}

/** How far the phone is. */
export function stepsOf(progress: Progress): readonly Step[] {
  const isDone: Readonly<Record<StepName, boolean>> = {
    download: progress.isDownloaded || progress.isTrusted || progress.isSecure,
    switch_on: progress.isTrusted || progress.isSecure,
    open: progress.isSecure,
    add: progress.isAdded || progress.fromHomeScreen,
    start: progress.fromHomeScreen,
  };
  const next = STEPS.find((name) => !isDone[name]);
  return STEPS.map((name) => ({ name, state: isDone[name] ? "done" : name === next ? "now" : "later" }));
}

/** A fingerprint as people compare it. */
export function inFours(fingerprint: string): string {
  return (plain(fingerprint).match(/.{1,4}/g) ?? []).join(" ");
}

/** Whether one is the beginning of the other. */
export function isSameFingerprint(one: string, other: string): boolean {
  const [a, b] = [plain(one), plain(other)];
  const length = Math.min(a.length, b.length);
  return length > 0 && a.slice(0, length) === b.slice(0, length);
}

function plain(fingerprint: string): string {
  return fingerprint.replace(/[^0-9a-f]/gi, "").toUpperCase();
}
