// The time zones that this computer knows, in groups as people look for them: America › Chicago.

export interface ZoneGroup {
  readonly group: string;
  readonly items: readonly { readonly value: string; readonly label: string }[];
}

/** All zones by their part of the world; the present one is among them whatever its name is. */
export function zoneGroups(present: string | undefined): ZoneGroup[] {
  const known = Intl.supportedValuesOf("timeZone");
  const all = present === undefined || known.includes(present) ? known : [present, ...known];
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const value of all) {
    const [area = "", ...place] = value.split("/");
    const group = place.length === 0 ? "" : area;
    const label = (place.length === 0 ? area : [...place].reverse().join(", ")).replaceAll("_", " ");
    groups.set(group, [...(groups.get(group) ?? []), { value, label }]);
  }
  return [...groups].map(([group, items]) => ({
    group,
    items: [...items].sort((a, b) => a.label.localeCompare(b.label, "en")),
  }));
}
