// Small settings of this device. A browser that keeps nothing still works: the setting lasts until the page closes.

/** Settings by key, as text. */
export interface Preferences {
  read(key: string): string | null;
  write(key: string, value: string): void;
}

/** The browser's storage; a private window or a full phone may refuse it. */
export function browserPreferences(): Preferences {
  const unsaved = new Map<string, string>();
  return {
    read: (key) => {
      try {
        return localStorage.getItem(key) ?? unsaved.get(key) ?? null;
      } catch {
        return unsaved.get(key) ?? null;
      }
    },
    write: (key, value) => {
      unsaved.set(key, value);
      try {
        localStorage.setItem(key, value);
      } catch {
        // Kept in memory above.
      }
    },
  };
}
