// Hash routes: the page is kept as one document, because a phone can open only `/` again while the laptop is away.

/** Where the person is. */
export type Route =
  | { readonly name: "join"; readonly code: string | null }
  | { readonly name: "work" }
  | { readonly name: "check-in"; readonly animal: string | null }
  | { readonly name: "weigh-in"; readonly animal: string | null }
  | { readonly name: "tag"; readonly animal: string }
  | { readonly name: "waiting" }
  | { readonly name: "checks" }
  | { readonly name: "more" };

/** Reads an address; what is unknown leads to work. */
export function parseRoute(hash: string): Route {
  const [name = "", argument = null] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode);
  switch (name) {
    case "join":
      // The part after the dot is the show's certificate, for phones that will use HTTPS.
      return { name, code: argument?.split(".")[0] || null };
    case "check-in":
    case "weigh-in":
      return { name, animal: argument || null };
    case "tag":
      return argument ? { name, animal: argument } : { name: "work" };
    case "waiting":
    case "checks":
    case "more":
      return { name };
    default:
      return { name: "work" };
  }
}

/** Writes an address. */
export function hashOf(route: Route): string {
  const argument = "animal" in route ? route.animal : "code" in route ? route.code : null;
  return `#/${route.name}${argument ? `/${encodeURIComponent(argument)}` : ""}`;
}

/** The present route, and the way to another. */
export class Router {
  #route = $state.raw<Route>(parseRoute(location.hash));
  /** Going back takes the browser a moment; what is asked for meanwhile comes after it. */
  #isGoingBack = false;
  #next: Route | undefined;

  constructor() {
    window.addEventListener("popstate", () => this.#onMoved());
    window.addEventListener("hashchange", () => this.#onMoved());
  }

  get route(): Route {
    return this.#route;
  }

  /** Goes there. Where the person came from is gone back to, so that the phone's own Back leads out of a task. */
  go(route: Route): void {
    this.#route = route;
    if (this.#isGoingBack) {
      this.#next = route;
    } else if (hashOf(route) === location.hash) {
      return;
    } else if (cameFrom() === hashOf(route)) {
      this.#isGoingBack = true;
      history.back();
    } else {
      history.pushState({ from: location.hash }, "", hashOf(route));
    }
  }

  /** Like `go`, but Back does not return here. */
  replace(route: Route): void {
    history.replaceState(null, "", hashOf(route));
    this.#route = route;
  }

  #onMoved(): void {
    this.#isGoingBack = false;
    const next = this.#next;
    this.#next = undefined;
    if (next) this.go(next);
    else if (hashOf(this.#route) !== location.hash) this.#route = parseRoute(location.hash);
  }
}

/** The address that the person came to the present one from, within this page. */
function cameFrom(): string | null {
  const state: unknown = history.state;
  const isOurs = typeof state === "object" && state !== null && "from" in state;
  return isOurs && typeof state.from === "string" ? state.from : null;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
