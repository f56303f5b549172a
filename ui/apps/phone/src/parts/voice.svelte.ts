// What a screen reader is told though the focus is elsewhere: saved, taken back, away, near. The page has one voice.

let words = $state("");

/** What was said last, for the one live region of the page. */
export const voice = {
  get words(): string {
    return words;
  },
  say(text: string): void {
    words = text;
  },
};
