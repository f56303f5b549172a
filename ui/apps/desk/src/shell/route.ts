// Where the page is. Hash routes: the server knows one document only.

export type Page = "overview" | "entries" | "checks" | "import" | "open";

export interface Route {
  page: Page;
  /** What follows the page's name: a clash, or an opening code. */
  rest: string;
  query: URLSearchParams;
}

const PAGES: Readonly<Record<string, Page>> = {
  "": "overview",
  entries: "entries",
  "needs-checking": "checks",
  import: "import",
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
