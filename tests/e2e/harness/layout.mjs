// Faults of layout that can be measured: text that is cut, things outside the window, targets that are too small.

/**
 * How strict a page is: the desk may shorten a text with an ellipsis where the whole can be read elsewhere; the phone
 * never does.
 * @typedef {{ target: number, ellipsis: boolean }} Rules
 */

/** @type {Rules} */
export const DESK_RULES = { target: 24, ellipsis: true };
/** @type {Rules} */
export const PHONE_RULES = { target: 56, ellipsis: false };

/**
 * What is laid out wrongly, one line each.
 * @param {import("playwright-core").Page} page
 * @param {Rules} rules
 * @returns {Promise<string[]>}
 */
export async function layoutFaults(page, rules) {
  await page.evaluate(() => document.fonts.ready);
  const [cut, small] = [await page.evaluate(cutOff, rules.ellipsis), await page.evaluate(smallTargets, rules.target)];
  return [...cut, ...small];
}

/**
 * Runs in the page: text and controls that are cut or outside.
 * @param {boolean} ellipsisIsFine
 */
function cutOff(ellipsisIsFine) {
  const SLACK_PX = 1;
  /** @type {string[]} */
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + SLACK_PX) {
    faults.push(`the page scrolls sideways: ${root.scrollWidth} px in ${root.clientWidth}`);
  }

  /** @param {Element} element */
  const called = (element) => {
    const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ");
    const kind = element.classList.length > 0 ? `.${[...element.classList].join(".")}` : "";
    return `<${element.tagName.toLowerCase()}${kind}> “${text.slice(0, 40)}”`;
  };
  /** @param {Element} element */
  const isShown = (element) =>
    element.checkVisibility({
      opacityProperty: true,
      visibilityProperty: true,
      contentVisibilityAuto: true,
    });
  /**
   * Kept for screen readers only: a box of a pixel.
   * @param {Element} element
   */
  const isForReaders = (element) => {
    for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) {
      const box = at.getBoundingClientRect();
      const style = getComputedStyle(at);
      if (style.clipPath !== "none" || (box.width <= 1 && box.height <= 1 && style.overflow !== "visible")) return true;
    }
    return false;
  };

  /**
   * The box, cut at a scroller that could bring the rest into view; null where all of it is scrolled away.
   * @param {Element} element
   * @param {DOMRect} box
   */
  const judge = (element, box) => {
    for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (at === document.body || at === root) break;
      if (style.position === "fixed") break;
      const frame = at.getBoundingClientRect();
      const clips = (/** @type {string} */ how) => how === "hidden" || how === "clip";
      const scrolls = (/** @type {string} */ how) => how === "auto" || how === "scroll";
      if (scrolls(style.overflowX) && at.scrollWidth > at.clientWidth) return;
      if (scrolls(style.overflowY) && (box.top < frame.top || box.bottom > frame.bottom)) return;
      if (clips(style.overflowX) && (box.right > frame.right + SLACK_PX || box.left < frame.left - SLACK_PX)) {
        const isShortened = style.textOverflow === "ellipsis";
        if (!(isShortened && ellipsisIsFine)) {
          faults.push(`${called(element)} is cut at the side by ${called(at)}`);
        }
        return;
      }
      const hidden = Math.max(box.bottom - frame.bottom, frame.top - box.top);
      const isClamped = style.webkitLineClamp !== "none" && style.webkitLineClamp !== "";
      if (clips(style.overflowY) && hidden > box.height / 4) {
        if (!(isClamped && ellipsisIsFine))
          faults.push(`${called(element)} is cut at the top or foot by ${called(at)}`);
        return;
      }
    }
    if (box.right > root.clientWidth + SLACK_PX || box.left < -SLACK_PX) {
      faults.push(`${called(element)} stands outside the window: ${Math.round(box.left)} to ${Math.round(box.right)}`);
    }
  };

  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = words.nextNode(); node; node = words.nextNode()) {
    const element = node.parentElement;
    if (!element || !node.nodeValue?.trim() || !isShown(element) || isForReaders(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width > 0 && box.height > 0) judge(element, box);
    }
  }
  for (const control of document.querySelectorAll("button, a[href], input, select, textarea, svg, img")) {
    const box = control.getBoundingClientRect();
    if (box.width > 0 && box.height > 0 && isShown(control) && !isForReaders(control)) judge(control, box);
  }
  return [...new Set(faults)];
}

/**
 * Runs in the page: targets that a finger or a mouse would miss. A control that its frame or a pseudo-element makes
 * larger is measured by what a tap there reaches.
 * @param {number} least
 */
function smallTargets(least) {
  const SLACK_PX = 0.5;
  const CONTROLS =
    'button, a[href], input:not([type="hidden"]), select, textarea, summary, [role="button"], [role="tab"], [role="switch"], [role="checkbox"], [role="option"], [role="menuitem"]';
  /** @type {string[]} */
  const faults = [];

  /** @param {Element} element */
  const target = (element) => {
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : [];
    const around = element.closest("label");
    const boxes = [element, ...labels, ...(around ? [around] : [])].map((one) => one.getBoundingClientRect());
    return boxes.reduce((largest, box) => (box.width * box.height > largest.width * largest.height ? box : largest));
  };
  /**
   * How far from the middle of the element a tap still reaches it.
   * @param {Element} element
   * @param {number} stepX
   * @param {number} stepY
   */
  const reach = (element, stepX, stepY) => {
    const box = element.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    let far = 0;
    while (far < least && element.contains(document.elementFromPoint(x + stepX * (far + 1), y + stepY * (far + 1)))) {
      far += 1;
    }
    return far;
  };
  /** @param {Element} element */
  const isInSentence = (element) => {
    if (!["inline", "inline-block"].includes(getComputedStyle(element).display)) return false;
    const beside = [...(element.parentElement?.childNodes ?? [])].filter((node) => node !== element);
    return beside.some((node) => node.nodeType === Node.TEXT_NODE && (node.nodeValue ?? "").trim().length > 1);
  };

  /**
   * A small one is easy to hit where nothing else is near: WCAG 2.5.8 asks for a circle of 24 px of its own.
   * @param {Element} element
   */
  const standsAlone = (element) => {
    const CIRCLE_PX = 24;
    if (least > CIRCLE_PX) return false;
    const box = element.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    return controls.every((other) => {
      if (other === element || other.contains(element) || element.contains(other)) return true;
      const near = other.getBoundingClientRect();
      if (near.width === 0) return true;
      const [dx, dy] = [
        x - Math.min(Math.max(x, near.left), near.right),
        y - Math.min(Math.max(y, near.top), near.bottom),
      ];
      return Math.hypot(dx, dy) >= CIRCLE_PX / 2;
    });
  };

  const open = [...document.querySelectorAll("dialog[open]")].findLast((dialog) => dialog.matches(":modal"));
  const controls = [...(open ?? document).querySelectorAll(CONTROLS)];
  for (const control of controls) {
    const isShown = control.checkVisibility({
      opacityProperty: true,
      visibilityProperty: true,
    });
    const drawn = control.getBoundingClientRect();
    if (!isShown || drawn.width <= 1 || drawn.height <= 1 || control.closest("[inert]")) continue;
    let { width, height } = target(control);
    if (width + SLACK_PX >= least && height + SLACK_PX >= least) continue;
    control.scrollIntoView({ block: "center", behavior: "instant" });
    if (width + SLACK_PX < least) width = Math.max(width, reach(control, 1, 0) + reach(control, -1, 0) + 1);
    if (height + SLACK_PX < least) height = Math.max(height, reach(control, 0, 1) + reach(control, 0, -1) + 1);
    if ((width + SLACK_PX >= least && height + SLACK_PX >= least) || isInSentence(control)) continue;
    if (standsAlone(control)) continue;
    const name = control.getAttribute("aria-label") ?? control.textContent ?? "";
    faults.push(
      `target of ${Math.round(width)}×${Math.round(height)} px, not ${least}: <${control.tagName.toLowerCase()}> “${name.trim().replace(/\s+/g, " ").slice(0, 40)}”`,
    );
  }
  return [...new Set(faults)];
}
