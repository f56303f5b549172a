// What is typed and not yet saved. It outlives a reload of this tab, and is nobody else's.

const PREFIX = "draft/";

/** The unsaved values of one form, by name. */
export class Draft {
  readonly #key: string;
  #values = $state.raw<Readonly<Record<string, string>>>({});

  /** `name` tells forms apart, such as the screen and its animal. */
  constructor(name: string) {
    this.#key = `${PREFIX}${name}`;
    this.#values = stored(this.#key);
  }

  get(field: string): string | undefined {
    return this.#values[field];
  }

  /** Sets a value; none takes it away. */
  set(field: string, value: string | undefined): void {
    const others = Object.entries(this.#values).filter(([name]) => name !== field);
    this.#values = Object.fromEntries(value === undefined ? others : [...others, [field, value]]);
    keep(this.#key, this.#values);
  }

  /** Saved, or given up by its author. */
  clear(): void {
    this.#values = {};
    keep(this.#key, this.#values);
  }
}

function stored(key: string): Readonly<Record<string, string>> {
  try {
    const told: unknown = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    if (typeof told !== "object" || told === null) return {};
    return Object.fromEntries(Object.entries(told).filter(([, value]) => typeof value === "string"));
  } catch {
    return {};
  }
}

function keep(key: string, values: Readonly<Record<string, string>>): void {
  try {
    if (Object.keys(values).length === 0) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(values));
  } catch {
    // A full or private storage: the value stays on the screen, which is all that was promised.
  }
}
