// A sentence of the laptop, written like ours.

export function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return upper === "" || /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
