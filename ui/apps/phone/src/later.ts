// Screens that are not on the page's first load. Those that are wanted when the laptop may be away
// are fetched as soon as the page is there, and kept by the browser.

/** The screens of a phone without a show: they need the laptop anyway. */
export function joinScreens() {
  return import("./join-screens.ts");
}

/** Finding, check-in and the scale. */
export function entryScreens() {
  return import("./entry-screens.ts");
}

/** All the others. */
export function later() {
  return import("./later-screens.ts");
}
