// The page by Tab: everything can be reached, in the order it stands, and what has the focus can be seen.

const STOPS_MAX = 60;

/**
 * What is wrong with a walk by Tab through the page, one line each.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>}
 */
export async function focusFaults(page) {
  const expected = await page.evaluate(prepare);
  /** @type {string[]} */
  const faults = [];
  const wanted = Math.min(expected, STOPS_MAX);
  let last = -1;
  for (let stop = 0; stop < wanted; stop += 1) {
    await page.keyboard.press("Tab");
    const { place, name, fault } = await page.evaluate(look);
    if (place < 0) return [...faults, `Tab number ${stop + 1} leads to ${name}`];
    // A date has its own stops for day, month, year and its calendar, which the browser marks itself.
    if (fault && place !== last) faults.push(fault);
    if (place < last) faults.push(`Tab goes back to ${name}`);
    last = place;
  }
  return faults;
}

/**
 * Runs in the page: remembers what can have the focus and how it looks without. Answers how many there are.
 */
function prepare() {
  const FOCUSABLE =
    'a[href], button, input:not([type="hidden"]), select, textarea, summary, iframe, [tabindex], [contenteditable="true"]';
  const open = [...document.querySelectorAll("dialog[open]")].findLast((dialog) => dialog.matches(":modal"));
  const radios = new Set();
  const stops = [...(open ?? document).querySelectorAll(FOCUSABLE)].filter((element) => {
    const isShown = element.checkVisibility({ visibilityProperty: true });
    if (!isShown || element.matches(":disabled") || element.closest("[inert]")) return false;
    if (/** @type {HTMLElement} */ (element).tabIndex < 0) return false;
    if (element instanceof HTMLInputElement && element.type === "radio") {
      const chosen = document.querySelector(`input[type="radio"][name="${CSS.escape(element.name)}"]:checked`);
      if (chosen && chosen !== element) return false;
      if (radios.has(element.name)) return false;
      radios.add(element.name);
    }
    return true;
  });
  const around = (/** @type {Element} */ element) => {
    const chain = [element, element.nextElementSibling, element.parentElement, element.parentElement?.parentElement];
    return chain.filter((one) => one instanceof Element);
  };
  const drawn = (/** @type {Element} */ element) =>
    around(element)
      .map((one) => {
        const style = getComputedStyle(one);
        const ring = style.outlineStyle === "none" ? "" : `${style.outlineWidth} ${style.outlineColor}`;
        return [ring, style.boxShadow, style.borderColor, style.backgroundColor].join("/");
      })
      .join("|");
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  const unfocused = new Map(stops.map((element) => [element, drawn(element)]));
  Object.assign(globalThis, { showdeskWalk: { stops, unfocused, drawn } });
  // The walk begins where this stood.
  const start = document.createElement("span");
  start.tabIndex = -1;
  (open ?? document.body).prepend(start);
  start.focus();
  start.remove();
  return stops.length;
}

/** Runs in the page: where the focus is and whether a person sees it. */
function look() {
  const { stops, unfocused, drawn } = /** @type {any} */ (globalThis).showdeskWalk;
  const element = document.activeElement ?? document.body;
  const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
  const text = (element.getAttribute("aria-label") ?? label ?? element.textContent ?? "").trim().replace(/\s+/g, " ");
  const name = `<${element.tagName.toLowerCase()}> “${text.slice(0, 40)}”`;
  const place = stops.indexOf(element);
  const box = element.getBoundingClientRect();
  const isInside =
    box.bottom > 0 &&
    box.top < innerHeight &&
    box.right > 0 &&
    box.left < innerWidth &&
    box.width > 0 &&
    box.height > 0;
  const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
  const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
  // A large one may reach under a bar at its foot: it is covered if its middle and its beginning are.
  const points = /** @type {const} */ ([
    [(left + right) / 2, (top + bottom) / 2],
    [left + Math.min(8, (right - left) / 2), top + Math.min(8, (bottom - top) / 2)],
  ]);
  const over = points.map(([x, y]) => document.elementFromPoint(x, y));
  const above = over.find((one) => one !== null);
  const isCovered = over.every(
    (one) => one !== null && !element.contains(one) && !one.contains(element) && !isLabel(element, one),
  );
  if (!isInside) return { place, name, fault: `${name} has the focus outside the window` };
  if (isCovered)
    return {
      place,
      name,
      fault: `${name} has the focus under <${above?.tagName.toLowerCase()}>`,
    };
  if (unfocused.get(element) === drawn(element)) return { place, name, fault: `${name} does not show its focus` };
  return { place, name, fault: null };

  /**
   * A control whose drawing is its label's.
   * @param {Element} control
   * @param {Element} over
   */
  function isLabel(control, over) {
    return control instanceof HTMLInputElement && [...(control.labels ?? [])].some((label) => label.contains(over));
  }
}

/**
 * What moves although the person asked for less motion.
 * @param {import("playwright-core").Page} page with reduced motion emulated
 * @returns {Promise<string[]>}
 */
export function motionFaults(page) {
  return page.evaluate(() => {
    const AT_ONCE_S = 0.02;
    const longest = (/** @type {string} */ times) =>
      Math.max(...times.split(",").map((time) => Number.parseFloat(time)));
    const moving = [...document.querySelectorAll("body *")].filter((element) => {
      const style = getComputedStyle(element);
      const isAnimated = style.animationName !== "none" && longest(style.animationDuration) > AT_ONCE_S;
      return isAnimated || longest(style.transitionDuration) > AT_ONCE_S;
    });
    const names = moving.map((element) => `<${element.tagName.toLowerCase()} class="${element.classList}"> moves`);
    return [...new Set(names)];
  });
}

/**
 * What is chosen but looks like what is not, when the system draws all colours.
 * @param {import("playwright-core").Page} page with forced colours emulated
 * @returns {Promise<string[]>}
 */
export function forcedColourFaults(page) {
  return page.evaluate(() => {
    const CHOSEN = '[aria-pressed="true"], [aria-selected="true"], [aria-current="page"], [aria-checked="true"]';
    // The system replaces every colour, so only what is not a colour tells the two apart.
    const drawn = (/** @type {Element} */ element) => {
      const style = getComputedStyle(element);
      const edge = (/** @type {string} */ side) =>
        `${style.getPropertyValue(`${side}-width`)} ${style.getPropertyValue(`${side}-style`)}`;
      const edges = ["border-top", "border-right", "border-bottom", "border-left", "outline"].map(edge);
      const drawings = ["::before", "::after"].map((part) => getComputedStyle(element, part).content);
      const own = style.getPropertyValue("forced-color-adjust") === "none" ? [style.color, style.backgroundColor] : [];
      const marks = element.querySelectorAll("svg").length;
      return [...edges, ...drawings, ...own, style.fontWeight, style.textDecorationLine, marks].join(" ");
    };
    return [...document.querySelectorAll(CHOSEN)].flatMap((element) => {
      if (!element.checkVisibility()) return [];
      const beside = [...(element.parentElement?.children ?? [])].find(
        (one) => one !== element && one.tagName === element.tagName && !one.matches(CHOSEN),
      );
      const name = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim();
      return beside && drawn(beside) === drawn(element) ? [`“${name}” is chosen and does not look it`] : [];
    });
  });
}
