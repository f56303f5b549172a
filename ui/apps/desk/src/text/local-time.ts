// Moments of the show's clock as `<input type="datetime-local">` has them. Pure.

/** `2026-07-17T09:14` at the show; empty for what is no moment. */
export function toLocal(iso: string, timezone: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() + offsetMs(at, timezone)).toISOString().slice(0, 16);
}

/** The moment that the show's clock shows so; undefined for what is no time of day. */
export function fromLocal(local: string, timezone: string): string | undefined {
  const asUtc = Date.parse(`${local}Z`);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(local) || Number.isNaN(asUtc)) return undefined;
  // The offset of the guess is wrong only across a change of the clock; a second look puts that right.
  const guess = new Date(asUtc - offsetMs(new Date(asUtc), timezone));
  return new Date(asUtc - offsetMs(guess, timezone)).toISOString();
}

function offsetMs(at: Date, timezone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: timezone, hourCycle: "h23", ...FIELDS }).formatToParts(at);
  const part = (type: string) => Number(parts.find((found) => found.type === type)?.value ?? 0);
  const shown = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return shown - Math.floor(at.getTime() / 1000) * 1000;
}

const FIELDS = {
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
} as const;
