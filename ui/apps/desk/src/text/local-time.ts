// Moments of the show's clock as `<input type="datetime-local">` has them. Pure.

/** `2026-07-17T09:14` at the show; empty for what is no moment. */
export function toLocal(iso: string, timezone: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() + offsetMs(at, timezone)).toISOString().slice(0, 16);
}

/**
 * The moment that the show's clock shows so; undefined for what is no time of day. Where clocks jump over it, as far
 * after the jump as it stands behind the jump's beginning: midnight that is left out is the first moment of its day.
 */
export function fromLocal(local: string, timezone: string): string | undefined {
  const asUtc = Date.parse(`${local}Z`);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(local) || Number.isNaN(asUtc)) return undefined;
  // The offset of the guess is wrong only across a change of the clock; a second look puts that right.
  const guess = asUtc - offsetMs(new Date(asUtc), timezone);
  const second = asUtc - offsetMs(new Date(guess), timezone);
  const isShown = asUtc - offsetMs(new Date(second), timezone) === second;
  return new Date(isShown ? second : Math.max(guess, second)).toISOString();
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
