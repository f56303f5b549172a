// Files to and from the phone's own folders.

/** Names are typed by people: only letters and digits go into a file's name. */
export function fileName(person: string, now: Date): string {
  const who = person
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .toLowerCase();
  const when = now.toISOString().slice(0, 16).replace(/[-:]/g, "").replace("T", "-");
  return `showdesk-${who === "" ? "phone" : who}-${when}.json`;
}

/** Offers the text as a download. */
export function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun with the click; the text need not stay in memory.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
