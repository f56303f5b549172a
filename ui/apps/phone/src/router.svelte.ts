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

  constructor() {
    window.addEventListener("hashchange", () => {
      this.#route = parseRoute(location.hash);
    });
  }

  get route(): Route {
    return this.#route;
  }

  go(route: Route): void {
    location.hash = hashOf(route);
  }

  /** Like `go`, but Back does not return here. */
  replace(route: Route): void {
    history.replaceState(null, "", hashOf(route));
    this.#route = route;
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
