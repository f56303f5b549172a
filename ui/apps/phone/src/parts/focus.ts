// Puts the focus where the person goes on, without a jump of the page.

/** Takes the focus as soon as the element is shown. */
export function takesFocus(element: HTMLElement): void {
  element.focus({ preventScroll: true });
}
