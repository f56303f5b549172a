// The name of the file in which a phone hands its entries over.

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
