// Putting the page on the Home Screen. Some browsers offer it themselves and let the page show the offer later.

/** The browser's own offer; no type of the standard library knows it. */
interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
}

/** What can be done about the Home Screen from inside the page. */
export interface HomeScreen {
  /** Whether the browser lets the page ask. */
  readonly canAsk: boolean;
  /** Shows the browser's question. */
  ask(): Promise<void>;
}

/** Listens from now on; `onChange` is called when an offer comes, and when the page was put there. */
export function homeScreen(
  onChange: (change: "offered" | "added") => void,
  scope: Window & typeof globalThis = window,
): HomeScreen {
  let offer: InstallOffer | undefined;
  scope.addEventListener("beforeinstallprompt", (event) => {
    // Otherwise the browser shows it in the middle of the work.
    event.preventDefault();
    if (isOffer(event)) offer = event;
    onChange("offered");
  });
  scope.addEventListener("appinstalled", () => onChange("added"));
  return {
    get canAsk() {
      return offer !== undefined;
    },
    ask: async () => {
      const asked = offer;
      offer = undefined;
      await asked?.prompt();
    },
  };
}

function isOffer(event: Event): event is InstallOffer {
  return "prompt" in event && typeof event.prompt === "function";
}
