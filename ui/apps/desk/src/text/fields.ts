// What each field of the synced tables is called, and how its value is written and typed.

/** How a value reads and how a person types another one. */
export type FieldKind =
  | "text"
  | "code"
  | "weight"
  | "gain"
  | "number"
  | "date"
  | "instant"
  | "choice"
  | "flag"
  | "list"
  | "person"
  | "record";

export interface FieldText {
  label: string;
  kind: FieldKind;
  /** The words of a choice, in their order. */
  choices?: readonly string[];
}

const SPECIES = ["cattle", "swine", "sheep", "goat", "poultry", "rabbit"] as const;
const CHECKS = ["unchecked", "match", "mismatch", "dna_pending"] as const;
const HEALTH = ["unchecked", "ok", "hold", "rejected"] as const;
const OUT = ["no_show", "scratch", "missed_class", "sift", "vet", "disqualified"] as const;

const FIELDS: Readonly<Record<string, FieldText>> = {
  adg_x1000: { label: "Rate of gain", kind: "gain" },
  age_division: { label: "Age division", kind: "text" },
  at: { label: "At", kind: "instant" },
  animal_id: { label: "Animal", kind: "record" },
  arrived_at: { label: "Checked in", kind: "instant" },
  arrived_by: { label: "Checked in by", kind: "person" },
  back_number: { label: "Exhibitor #", kind: "number" },
  born_on: { label: "Born", kind: "date" },
  breed: { label: "Breed", kind: "text" },
  catalogue_no: { label: "Catalogue #", kind: "number" },
  class_id: { label: "Class", kind: "record" },
  club_chapter: { label: "Club", kind: "text" },
  code: { label: "Code", kind: "code" },
  county: { label: "County", kind: "text" },
  department: { label: "Department", kind: "choice", choices: SPECIES },
  division: { label: "Division", kind: "text" },
  ear_notch: { label: "Ear notch", kind: "text" },
  entry_id: { label: "Entry", kind: "record" },
  exhibitor_id: { label: "Exhibitor", kind: "record" },
  family_id: { label: "Class entered", kind: "record" },
  first_name: { label: "First name", kind: "text" },
  guardian_phone: { label: "Guardian’s phone", kind: "text" },
  health_check: { label: "Health", kind: "choice", choices: HEALTH },
  id_check: { label: "ID check", kind: "choice", choices: CHECKS },
  init_weight_x10: { label: "Start weight", kind: "weight" },
  init_weighed_on: { label: "Start weighed on", kind: "date" },
  is_addon: { label: "Add-on", kind: "flag" },
  judge_name: { label: "Judge", kind: "text" },
  kind: { label: "Kind", kind: "choice" },
  last_name: { label: "Last name", kind: "text" },
  max_x10: { label: "Heaviest", kind: "weight" },
  min_x10: { label: "Lightest", kind: "weight" },
  name: { label: "Name", kind: "text" },
  note: { label: "Note", kind: "text" },
  official_id: { label: "Official ID", kind: "code" },
  official_weight_x10: { label: "Weight", kind: "weight" },
  out_reason: { label: "Out", kind: "choice", choices: OUT },
  pen: { label: "Pen", kind: "text" },
  place: { label: "Place", kind: "number" },
  planned_at: { label: "Planned", kind: "instant" },
  prev_tags: { label: "Old tags", kind: "list" },
  program: { label: "Program", kind: "choice", choices: ["4h", "ffa", "open"] },
  reg_number: { label: "Registration", kind: "text" },
  released_at: { label: "Released", kind: "instant" },
  replaces_id: { label: "Replaces", kind: "record" },
  ring_id: { label: "Ring", kind: "record" },
  scale: { label: "Scale", kind: "text" },
  seq: { label: "Order", kind: "number" },
  sex: { label: "Sex", kind: "text" },
  source: { label: "Source", kind: "choice" },
  species: { label: "Species", kind: "choice", choices: SPECIES },
  status: { label: "Status", kind: "choice" },
  tag: { label: "Tag", kind: "code" },
  tag_read: { label: "Tag read", kind: "code" },
  tattoo: { label: "Tattoo", kind: "text" },
  unit: { label: "Unit", kind: "text" },
  voided_at: { label: "Taken back", kind: "instant" },
  voided_by: { label: "Taken back by", kind: "person" },
  voided_reason: { label: "Taken back because", kind: "text" },
  weighed_at: { label: "Weighed at", kind: "instant" },
  weight_unit: { label: "Weight unit", kind: "choice", choices: ["lb", "kg"] },
  weight_x10: { label: "Weight", kind: "weight" },
};

/** Fields that travel together; the first one speaks for the others. */
const GROUPS: readonly (readonly string[])[] = [
  ["weight_x10", "unit", "weighed_at", "scale", "tag_read"],
  ["place", "tie_group", "code", "award"],
  ["arrived_at", "arrived_by"],
  ["init_weight_x10", "init_weighed_on"],
  ["official_at", "official_by"],
  ["voided_at", "voided_by", "voided_reason"],
];

/** Columns the server keeps for itself: they say nothing to a person. */
const HIDDEN = new Set([
  "id",
  "version",
  "show_id",
  "created_at",
  "updated_at",
  "updated_by",
  "device_id",
  "card_id",
  "deleted_at",
]);

export function fieldText(field: string): FieldText {
  return FIELDS[field] ?? { label: sentence(field), kind: "text" };
}

export function isShown(field: string): boolean {
  return !HIDDEN.has(field);
}

/** The fields as rows of one decision each: a group is one row, led by its most telling field. */
export function fieldRows(fields: readonly string[]): string[][] {
  const rows: string[][] = [];
  const placed = new Set<string>();
  for (const field of fields) {
    if (placed.has(field)) continue;
    const group = GROUPS.find((members) => members.includes(field)) ?? [field];
    const row = group.filter((member) => fields.includes(member));
    for (const member of row) placed.add(member);
    rows.push(row);
  }
  return rows;
}

/** What a code word of a choice says on the screen. */
export function choiceText(word: string): string {
  return CHOICES[word] ?? sentence(word);
}

const CHOICES: Readonly<Record<string, string>> = {
  "4h": "4-H",
  csv: "File",
  dna_pending: "DNA pending",
  ffa: "FFA",
  kg: "kg",
  lb: "lb",
  no_show: "No-show",
  ok: "OK",
  reweigh: "Re-weigh",
  unchecked: "Not checked",
  vet: "Vet-out",
  weigh_back: "Weigh-back",
};

function sentence(name: string): string {
  const words = name
    .replace(/_x\d+$/, "")
    .replaceAll("_", " ")
    .replaceAll(".", ": ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
