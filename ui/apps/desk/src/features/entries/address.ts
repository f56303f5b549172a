// The address of a search, so that it can be linked to and survives going back.

export function entriesAddress(query: string, animal: string | undefined): string {
  const parts = new URLSearchParams();
  if (query.trim() !== "") parts.set("q", query.trim());
  if (animal !== undefined) parts.set("animal", animal);
  const text = parts.toString();
  return text === "" ? "#/entries" : `#/entries?${text}`;
}
