// A day and time with its year, for clocks and passes.

/** "Nov 22, 2026, 9:41". */
export function momentText(moment: number | string, timeZone: string | null): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  const style = { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" } as const;
  try {
    return new Intl.DateTimeFormat("en-US", { ...style, ...(timeZone === null ? {} : { timeZone }) }).format(date);
  } catch {
    // A time zone this phone does not know: its own is the next best.
    return new Intl.DateTimeFormat("en-US", style).format(date);
  }
}
