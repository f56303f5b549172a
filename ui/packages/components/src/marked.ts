// A text in its marked and its other parts.

export interface MarkedPart {
  text: string;
  marked: boolean;
}

/** `pattern` is global. The parts put together are the text. */
export function markedParts(text: string, pattern: RegExp): MarkedPart[] {
  const found: MarkedPart[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    found.push({ text: text.slice(from, match.index), marked: false }, { text: match[0], marked: true });
    from = match.index + match[0].length;
  }
  return [...found, { text: text.slice(from), marked: false }].filter((part) => part.text !== "");
}
