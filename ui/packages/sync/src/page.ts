// When the page wants a sync: it became visible, came back from the background, or got the focus.

/** Why a sync is asked for. */
export type Wish = "resume" | "focus" | "hide";

/** The page around the engine; tests pass their own. */
export interface Page {
  isVisible(): boolean;
  /** Tells wishes until the returned function is called. */
  listen(onWish: (wish: Wish) => void): () => void;
}

/** The browser's page. */
export function browserPage(): Page {
  return {
    isVisible: () => document.visibilityState === "visible",
    listen: (onWish) => {
      const ends = new AbortController();
      const { signal } = ends;
      const onVisibility = () => onWish(document.visibilityState === "visible" ? "resume" : "hide");
      document.addEventListener("visibilitychange", onVisibility, { signal });
      window.addEventListener("pageshow", (event) => onWish(event.persisted ? "resume" : "focus"), { signal });
      window.addEventListener("pagehide", () => onWish("hide"), { signal });
      window.addEventListener("focus", () => onWish("focus"), { signal });
      return () => ends.abort();
    },
  };
}
