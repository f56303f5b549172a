// "Hereford steer": breed and sex in front of the species where the sex does not say it.

import type { Animal } from "../show/rows.ts";

/** Words for a sex that need no species. */
const SAYS_SPECIES = new Set([
  "steer",
  "heifer",
  "bull",
  "cow",
  "barrow",
  "gilt",
  "boar",
  "sow",
  "wether",
  "ewe",
  "ram",
  "doe",
  "buck",
]);

export function kindText(animal: Animal): string {
  const sex = animal.sex?.toLowerCase() ?? null;
  const noun = sex !== null && SAYS_SPECIES.has(sex) ? sex : [sex, animal.species].filter(Boolean).join(" ");
  const text = [animal.breed, noun].filter(Boolean).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Words that are the same for one and for many. */
const UNCOUNTED = new Set(["cattle", "swine", "sheep", "poultry"]);

/** "Steers", for a range of weights. */
export function groupText(animal: Animal): string {
  const noun = animal.sex?.toLowerCase() ?? animal.species;
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}${UNCOUNTED.has(noun) ? "" : "s"}`;
}
