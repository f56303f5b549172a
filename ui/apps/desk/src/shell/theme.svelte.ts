// Light or dark: what the person chose, else what the computer says.

export type ThemeName = "light" | "dark";

const KEY = "showdesk.theme";

export class Theme {
  name = $state<ThemeName>(chosen() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

  constructor() {
    document.documentElement.dataset["theme"] = this.name;
  }

  set(name: ThemeName): void {
    this.name = name;
    document.documentElement.dataset["theme"] = name;
    localStorage.setItem(KEY, name);
  }
}

function chosen(): ThemeName | undefined {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : undefined;
}
