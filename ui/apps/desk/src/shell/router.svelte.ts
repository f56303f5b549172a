// Follows the address.

import { parseRoute } from "./route.ts";

export class Router {
  route = $state.raw(parseRoute(location.hash));

  constructor() {
    addEventListener("hashchange", () => (this.route = parseRoute(location.hash)));
  }

  go(hash: string): void {
    location.hash = hash;
  }

  /** Changes the address without a new entry in the browser's history. */
  replace(hash: string): void {
    history.replaceState(null, "", hash);
    this.route = parseRoute(location.hash);
  }
}
