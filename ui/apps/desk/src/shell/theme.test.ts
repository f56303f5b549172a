import { beforeEach, expect, test } from "vitest";

import { Theme } from "./theme.svelte.ts";

/** A computer that can turn dark. */
class Computer extends EventTarget {
  matches = false;

  turn(isDark: boolean): void {
    this.matches = isDark;
    this.dispatchEvent(new Event("change"));
  }
}

const shown = () => document.documentElement.dataset["theme"];
let computer: Computer;
const theme = () => new Theme(computer as unknown as MediaQueryList);

beforeEach(() => {
  localStorage.clear();
  computer = new Computer();
});

test("the computer's choice is followed, also when it changes", () => {
  const desk = theme();
  expect([desk.name, shown()]).toEqual(["light", "light"]);
  computer.turn(true);
  expect([desk.name, shown()]).toEqual(["dark", "dark"]);
});

test("what the person chose stays, here and at the next start", () => {
  theme().set("light");
  computer.turn(true);
  expect(shown()).toBe("light");
  expect(theme().name).toBe("light");
});
