import { afterEach, expect, test } from "vitest";

import { keyAction, keyTarget, type KeyTarget } from "./keys.ts";

const press = (key: string, target: KeyTarget, held: { shiftKey?: boolean; ctrlKey?: boolean } = {}) =>
  keyAction({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...held }, target);

test.each([
  ["j", "next"],
  ["J", "next"],
  ["k", "previous"],
  ["ArrowDown", "fieldDown"],
  ["1", "phone"],
  ["2", "laptop"],
  ["3", "other"],
  ["4", "same"],
  ["Enter", "save"],
  ["u", "undo"],
  ["?", "help"],
  ["s", "skip"],
  ["a", "ask"],
  ["x", "select"],
  ["/", "search"],
  ["q", undefined],
])("%s on the page means %s", (key, action) => {
  expect(press(key, "page")).toBe(action);
});

test("Shift makes a range of a selection, and of nothing else", () => {
  expect(press("X", "page", { shiftKey: true })).toBe("range");
  expect(press("J", "page", { shiftKey: true })).toBe("next");
});

test("keys with Ctrl belong to the browser", () => {
  expect(press("u", "page", { ctrlKey: true })).toBeUndefined();
});

test("letters in a field are letters", () => {
  for (const key of ["j", "1", "u", "Enter", "?"]) expect(press(key, "text")).toBeUndefined();
});

test("Enter in the reason saves, letters are letters", () => {
  expect(press("Enter", "reason")).toBe("save");
  expect(press("j", "reason")).toBeUndefined();
});

test("Enter on a button presses it, and saves only where pressing it again would change nothing", () => {
  expect(press("Enter", "control")).toBeUndefined();
  expect(press("Enter", "settled")).toBe("save");
  expect(press("1", "control")).toBe("phone");
});

afterEach(() => document.body.replaceChildren());

function element(html: string): Element {
  document.body.innerHTML = html;
  const found = document.body.firstElementChild;
  if (found === null) throw new Error("nothing was made");
  return found;
}

test.each<[string, KeyTarget]>([
  ["<input>", "text"],
  ["<input data-keys='reason'>", "reason"],
  ["<select></select>", "text"],
  ["<button data-keys='side' aria-pressed='true'></button>", "settled"],
  ["<button data-keys='side' aria-pressed='false'></button>", "control"],
  ["<button data-keys='row' aria-current='true'></button>", "settled"],
  ["<button data-keys='row'></button>", "control"],
  ["<a href='#/'></a>", "control"],
  ["<div></div>", "page"],
])("%s is %s", (html, target) => {
  expect(keyTarget(element(html))).toBe(target);
});
