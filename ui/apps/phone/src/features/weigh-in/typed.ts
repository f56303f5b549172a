// What the pad has typed so far, as text: digits, at most one point and one decimal.

const WHOLE_DIGITS_MAX = 4;

/** Keeps of a text what can be a weight. */
export function cleanTyped(text: string): string {
  const [whole = "", ...rest] = text.replace(/[^\d.]/g, "").split(".");
  const digits = whole.replace(/^0+(?=\d)/, "").slice(0, WHOLE_DIGITS_MAX);
  return rest.length === 0 ? digits : `${digits}.${rest.join("").slice(0, 1)}`;
}

/** What stands in the box: "1,286.". */
export function shownTyped(typed: string): string {
  const [whole = "", tenth] = typed.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return tenth === undefined ? grouped : `${grouped === "" ? "0" : grouped}.${tenth}`;
}

/** The weight in tenths; nothing if there is none yet. */
export function typedX10(typed: string): number | null {
  const value = Math.round(Number.parseFloat(typed) * 10);
  return Number.isFinite(value) && value > 0 ? value : null;
}
