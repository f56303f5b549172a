// Light or dark: what the person chose, else what the computer says, also when it changes at dusk.

export type ThemeName = "light" | "dark";

const KEY = "showdesk.theme";

export class Theme {
  #name = $state<ThemeName>("light");

  constructor(computer = matchMedia("(prefers-color-scheme: dark)")) {
    const show = (): void => this.#show(chosen() ?? (computer.matches ? "dark" : "light"));
    computer.addEventListener("change", show);
    show();
  }

  get name(): ThemeName {
    return this.#name;
  }

  set(name: ThemeName): void {
    this.#show(name);
    localStorage.setItem(KEY, name);
  }

  #show(name: ThemeName): void {
    this.#name = name;
    document.documentElement.dataset["theme"] = name;
  }
}

function chosen(): ThemeName | undefined {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : undefined;
}
