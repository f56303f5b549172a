// A phone whose storage is full, until something is deleted.

/**
 * From here on the phone's storage takes nothing more.
 * @param {import("playwright-core").Page} page
 */
export function fillStorage(page) {
  return page.evaluate(() => {
    const store = IDBObjectStore.prototype;
    const { add, put } = store;
    const refuse = () => {
      throw new DOMException("the disk is full", "QuotaExceededError");
    };
    Object.assign(store, { add: refuse, put: refuse });
    Object.assign(globalThis, { showdeskFree: () => Object.assign(store, { add, put }) });
  });
}

/**
 * There is room again.
 * @param {import("playwright-core").Page} page
 */
export function freeStorage(page) {
  return page.evaluate(() => /** @type {any} */ (globalThis).showdeskFree());
}
