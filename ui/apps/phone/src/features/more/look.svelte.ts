// How the page looks on this phone: sun mode, text size, dark when the phone is dark. Kept between visits.

import type { Preferences } from "@showdesk/platform";

/** Smallest first. */
export const TEXT_SIZES = ["normal", "large", "largest"] as const;
type TextSize = (typeof TEXT_SIZES)[number];

/** Whose colours: the phone's own choice, or always these. */
export const COLOURS = ["phone", "light", "dark"] as const;
type Colours = (typeof COLOURS)[number];

/** The settings, and the attributes of the page that follow from them. */
export class Look {
  readonly #preferences: Preferences;
  readonly #root: HTMLElement;
  readonly #dark = window.matchMedia?.("(prefers-color-scheme: dark)");
  #sun = $state(false);
  #text = $state<TextSize>("normal");
  #colours = $state<Colours>("phone");

  constructor(preferences: Preferences, root: HTMLElement = document.documentElement) {
    this.#preferences = preferences;
    this.#root = root;
    this.#sun = preferences.read("sun") === "on";
    this.#text = TEXT_SIZES.find((size) => size === preferences.read("text")) ?? "normal";
    this.#colours = COLOURS.find((colours) => colours === preferences.read("colours")) ?? "phone";
    this.#dark?.addEventListener("change", () => this.#apply());
    this.#apply();
  }

  get sun(): boolean {
    return this.#sun;
  }

  set sun(isOn: boolean) {
    this.#sun = isOn;
    this.#preferences.write("sun", isOn ? "on" : "off");
    this.#apply();
  }

  get text(): TextSize {
    return this.#text;
  }

  set text(size: TextSize) {
    this.#text = size;
    this.#preferences.write("text", size);
    this.#apply();
  }

  get colours(): Colours {
    return this.#colours;
  }

  set colours(colours: Colours) {
    this.#colours = colours;
    this.#preferences.write("colours", colours);
    this.#apply();
  }

  #apply(): void {
    const { dataset } = this.#root;
    const isDark = this.#colours === "phone" ? this.#dark?.matches === true : this.#colours === "dark";
    // Sun mode is always light: black on white.
    dataset["theme"] = isDark && !this.#sun ? "dark" : "light";
    if (this.#sun) dataset["sun"] = "on";
    else delete dataset["sun"];
    if (this.#text === "normal") delete dataset["text"];
    else dataset["text"] = this.#text;
  }
}
