// A button that is gone, or waits, gives its focus to nobody: a key pressed then would go astray.

import { tick } from "svelte";

/** Gives the focus to `place` if nothing has it. */
export async function keepFocus(place: HTMLElement | undefined): Promise<void> {
  await tick();
  if (document.activeElement === document.body) place?.focus();
}
