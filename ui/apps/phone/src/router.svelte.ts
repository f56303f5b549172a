// Hash routes: the page is kept as one document, because a phone can open only `/` again while the laptop is away.

/** Where the person is. */
export type Route =
  | { readonly name: "join"; readonly code: string | null; readonly fingerprint?: string | null }
  | { readonly name: "moved"; readonly pass: string }
  | { readonly name: "work" }
  | { readonly name: "check-in"; readonly animal: string | null }
  | { readonly name: "weigh-in"; readonly animal: string | null }
  | { readonly name: "tag"; readonly animal: string }
  | { readonly name: "waiting" }
  | { readonly name: "checks" }
  | { readonly name: "messages" }
  | { readonly name: "new-message" }
  | { readonly name: "trust"; readonly fingerprint: string | null }
  | { readonly name: "more" };

/** As much of a fingerprint as people compare, or all of it. */
const FINGERPRINT = /^[0-9a-f]{8,64}$/i;

/** Reads an address; what is unknown leads to work. */
export function parseRoute(hash: string): Route {
  const [name = "", argument = null] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode);
  switch (name) {
    case "join":
      return joinRoute(argument);
    case "trust":
      return { name, fingerprint: argument !== null && FINGERPRINT.test(argument) ? argument : null };
    case "moved":
      return argument ? { name, pass: argument } : { name: "work" };
    case "check-in":
    case "weigh-in":
      return { name, animal: argument || null };
    case "tag":
      return argument ? { name, animal: argument } : { name: "work" };
    case "waiting":
    case "checks":
    case "messages":
    case "new-message":
    case "more":
      return { name };
    default:
      return { name: "work" };
  }
}

/** A code, and after a dot how the fingerprint of the show's certificate begins. */
function joinRoute(argument: string | null): Route {
  const [code = "", fingerprint = ""] = (argument ?? "").split(".");
  const isFingerprint = FINGERPRINT.test(fingerprint);
  return { name: "join", code: code || null, fingerprint: isFingerprint ? fingerprint.toUpperCase() : null };
}

/** Writes an address. */
export function hashOf(route: Route): string {
  const argument = argumentOf(route);
  return `#/${route.name}${argument ? `/${encodeURIComponent(argument)}` : ""}`;
}

function argumentOf(route: Route): string | null {
  switch (route.name) {
    case "join":
      return route.code !== null && route.fingerprint ? `${route.code}.${route.fingerprint}` : route.code;
    case "moved":
      return route.pass;
    case "trust":
      return route.fingerprint;
    case "check-in":
    case "weigh-in":
    case "tag":
      return route.animal;
    default:
      return null;
  }
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
