/** The list with one member more, or without it if it was there. */
export function toggled<T>(list: readonly T[], member: T): readonly T[] {
  return list.includes(member) ? list.filter((other) => other !== member) : [...list, member];
}
