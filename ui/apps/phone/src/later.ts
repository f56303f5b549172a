// Screens that are not on the page's first load. They are wanted when the laptop may be away,
// so all of them are fetched as soon as the phone has once talked to it.

/** The later screens; fetched once, kept by the browser. */
export function later() {
  return import("./later-screens.ts");
}
