// What a person does on a page, counted: every tap with the name of what it hit, and every dialog that opens.

/**
 * Begins to count on every page of the context that is opened from now on.
 * @param {import("playwright-core").BrowserContext} context
 */
export async function countTaps(context) {
  await context.addInitScript(() => {
    /** @type {{ taps: string[], dialogs: string[] }} */
    const seen = { taps: [], dialogs: [] };
    Object.assign(globalThis, { showdeskSeen: seen });
    addEventListener(
      "click",
      (event) => {
        const hit = event.target instanceof Element ? event.target.closest("button, a, input, label, summary") : null;
        // A label's click is followed by its control's, and Enter in a form by the button's: both are one tap.
        if (!hit || hit.tagName === "LABEL" || event.detail === 0) return;
        seen.taps.push((hit.getAttribute("aria-label") ?? hit.textContent ?? "").trim());
      },
      { capture: true },
    );
    const { showModal } = HTMLDialogElement.prototype;
    HTMLDialogElement.prototype.showModal = function () {
      seen.dialogs.push((this.textContent ?? "").trim());
      showModal.call(this);
    };
  });
}

/**
 * The names of what was tapped on this page since it was loaded.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>}
 */
export const tapsOn = (page) => page.evaluate(() => /** @type {any} */ (globalThis).showdeskSeen.taps);

/**
 * Dialogs that opened on this page since it was loaded.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>}
 */
export const dialogsOn = (page) => page.evaluate(() => /** @type {any} */ (globalThis).showdeskSeen.dialogs);
