// The Home Screen as this page knows it: whether the browser lets us ask, whether the page was just put there.

import { homeScreen } from "@showdesk/platform";

let canAsk = $state(false);
let isAdded = $state(false);
// Browsers make their offer once, soon after the page is there: whoever listens later misses it.
const screen = homeScreen((change) => {
  canAsk = change === "offered";
  if (change === "added") isAdded = true;
});

/** The Home Screen. */
export const home = {
  /** The browser can be made to ask the person. */
  get canAsk(): boolean {
    return canAsk;
  },
  /** Put there since the page was opened. */
  get isAdded(): boolean {
    return isAdded;
  },
  async ask(): Promise<void> {
    canAsk = false;
    await screen.ask();
  },
};
