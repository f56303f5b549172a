// A name for one try of a decision, so that a repeated one is answered like the first.

const BYTES = 16;

export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
