// Where the page is. Hash routes: the server knows one document only.

export type Page =
  | "overview"
  | "activity"
  | "poster"
  | "gallery"
  | "welcome"
  | "entries"
  | "checks"
  | "messages"
  | "health"
  | "phones"
  | "audit"
  | "import"
  | "settings"
  | "rescue"
  | "open";

export interface Route {
  page: Page;
  /** What follows the page's name: a clash, or an opening code. */
  rest: string;
  query: URLSearchParams;
}

const PAGES: Readonly<Record<string, Page>> = {
  "": "overview",
  overview: "overview",
  activity: "activity",
  poster: "poster",
  gallery: "gallery",
  welcome: "welcome",
  entries: "entries",
  "needs-checking": "checks",
  messages: "messages",
  health: "health",
  phones: "phones",
  audit: "audit",
  import: "import",
  settings: "settings",
  rescue: "rescue",
  open: "open",
};

/** `#/needs-checking/0198…?show=all` → its parts; an unknown route is the overview. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [name = "", ...rest] = path.split("/");
  const page = PAGES[name];
  return {
    page: page ?? "overview",
    rest: page === undefined ? "" : rest.join("/"),
    query: new URLSearchParams(query),
  };
}
