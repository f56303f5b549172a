// The desk between two screens: what is open, chosen, loading or refused, and what stands there after something was done.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * @typedef {import("playwright-core").Page} Page
 * @typedef {import("./desk-scenes.mjs").DeskScene} DeskScene
 */

const ENTRIES = fileURLToPath(new URL("../../vectors/demo-entries.csv", import.meta.url));
/** What the program says when something in it went wrong. */
const FAILED = {
  status: 500,
  contentType: "application/problem+json",
  body: JSON.stringify({
    code: "internal",
    title: "Something went wrong",
    detail: "Something went wrong in Showdesk.",
    status: 500,
    retry: "later",
    request_id: "01J2QK6Y7ZP4N8W0",
  }),
};

/** @type {(page: Page, tag: string) => Promise<void>} */
const openEntry = async (page, tag) => {
  await page.getByRole("row").filter({ hasText: tag }).first().click();
  await page.getByRole("heading", { name: "History" }).first().waitFor();
};
/** @type {(page: Page) => Promise<void>} */
const openOldVersion = async (page) => {
  await openEntry(page, "5007");
  const versions = page.getByRole("region", { name: /5007/ }).getByRole("button", { expanded: false });
  await versions.last().click();
  await page.getByRole("button", { name: "Restore this version" }).waitFor();
};

/**
 * Nothing is written by these.
 * @type {DeskScene[]}
 */
export const BETWEEN = [
  {
    name: "entry-version",
    shows: "an older version of a record: each field before and after",
    hash: "#/entries?q=5007",
    open: openOldVersion,
  },
  {
    name: "entry-restore",
    shows: "what restoring an older version would change",
    hash: "#/entries?q=5007",
    open: async (page) => {
      await openOldVersion(page);
      await page.getByRole("button", { name: "Restore this version" }).click();
      await page.getByRole("dialog", { name: /^Restore/ }).waitFor();
    },
  },
  {
    name: "entry-scratch",
    shows: "taking an animal out of its class, with the reason missing",
    hash: "#/entries?q=4040",
    open: async (page) => {
      await openEntry(page, "4040");
      await page.getByRole("button", { name: "Scratch…" }).click();
      const dialog = page.getByRole("dialog", { name: /^Scratch/ });
      await dialog.getByRole("button", { name: "Scratch", exact: true }).click();
      await dialog.getByText("Type why. It goes in the history.").waitFor();
    },
  },
  {
    name: "entries-loading",
    shows: "the list before its rows have come",
    hash: "#/entries",
    open: async (page) => {
      await page.route("**/admin/entries?*", () => undefined);
      await page.reload();
      await page.locator(".skeleton").first().waitFor();
    },
  },
  {
    name: "entries-failed",
    shows: "the list could not be read: nothing is lost, and another try",
    hash: "#/entries",
    isRefused: true,
    open: async (page) => {
      await page.route("**/admin/entries?*", (route) => route.fulfill(FAILED));
      await page.reload();
      await page.getByRole("button", { name: "Try again" }).waitFor();
    },
  },
  {
    name: "needs-checking-selected",
    shows: "several entries ticked, to be decided together",
    hash: "#/needs-checking",
    open: async (page) => {
      await page.getByRole("checkbox", { name: /^Select all of Maria/ }).check();
      await page.getByRole("button", { name: /^Decide \d+ together/ }).waitFor();
    },
  },
  {
    name: "needs-checking-filter",
    shows: "the list narrowed to weights of one person",
    hash: "#/needs-checking",
    open: async (page) => {
      await page.getByRole("button", { name: /^Filter/ }).click();
      await page.getByRole("combobox", { name: "What" }).selectOption({ label: "Weights" });
      await page.getByRole("combobox", { name: "Person" }).selectOption({ label: "Maria Ruiz" });
    },
  },
  {
    name: "needs-checking-none-found",
    shows: "nothing fits what is searched",
    hash: "#/needs-checking",
    open: async (page) => {
      await page.getByRole("button", { name: "Search", exact: true }).click();
      await page.getByRole("searchbox", { name: "Search what needs checking" }).fill("no such animal");
      await page.getByText("Nothing here fits the filter.").waitFor();
    },
  },
  {
    name: "import-left-out",
    shows: "rows with faults are left out, and the button carries the number",
    hash: "#/import",
    open: async (page) => {
      await page.setInputFiles("input[type=file]", ENTRIES);
      await page.getByRole("button", { name: "Check rows" }).click();
      await page.getByRole("button", { name: "Leave out rows with faults" }).click();
      await page.getByRole("button", { name: /^Import \d+ rows$/, disabled: false }).waitFor();
      await page.getByText("Looking at the rows again").waitFor({ state: "detached" });
    },
  },
  {
    name: "settings-fault",
    shows: "a rule that is typed wrongly: what is missing, and a way back",
    hash: "#/settings",
    open: async (page) => {
      const within = page.getByLabel("Two weights agree within");
      await within.fill("much");
      await within.press("Tab");
      await page
        .getByText(/^Type a weight such as/)
        .first()
        .waitFor();
    },
  },
  ...["light", "dark", "sun"].map((look) => ({
    name: `gallery-${look}`,
    shows: `every part of the pages in its states, ${look}`,
    hash: `#/gallery?look=${look}`,
    open: (/** @type {Page} */ page) => page.getByRole("heading", { level: 1 }).waitFor(),
  })),
];

/**
 * Looking through the file of a phone that could not get back.
 * @param {string} file
 * @returns {DeskScene}
 */
export const lookingThrough = (file) => ({
  name: "rescue-entries",
  shows: "the entries of a phone's file before they are taken in",
  hash: "#/rescue",
  open: async (page) => {
    await page.setInputFiles("input[type=file]", {
      name: "showdesk-kim-brandt.json",
      mimeType: "application/json",
      buffer: readFileSync(file),
    });
    await page.getByRole("button", { name: /^Take in \d/ }).waitFor();
  },
});

/**
 * These write, so they come last.
 * @param {any[]} clashes that are open, two of them weights
 * @param {(clash: any) => Promise<void>} decide as somebody else does
 * @returns {DeskScene[]}
 */
export function done(clashes, decide) {
  const [one, other] = clashes.filter(({ rule }) => rule === "C1");
  const choose = async (/** @type {Page} */ page) => {
    await page
      .getByRole("button", { name: /^Use phone.s/ })
      .first()
      .waitFor();
    await page.keyboard.press("1");
    await page.getByText("Phone’s kept").first().waitFor();
  };
  return [
    {
      name: "needs-checking-saved",
      shows: "decided, the next one is shown, and undo for ten seconds",
      hash: `#/needs-checking/${one.id}`,
      open: async (page) => {
        await choose(page);
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: /^Undo/ }).first().waitFor();
      },
    },
    {
      name: "needs-checking-late",
      shows: "somebody else has just decided this",
      hash: `#/needs-checking/${other.id}`,
      open: async (page) => {
        await choose(page);
        await page.route(`**/admin/conflicts/${other.id}/resolve`, async (route) => {
          await decide(other);
          await route.continue();
        });
        await page.keyboard.press("Enter");
        await page
          .getByText(/just decided this/)
          .first()
          .waitFor();
      },
    },
    {
      name: "entry-saved",
      shows: "a record that was corrected, and its undo",
      hash: "#/entries?q=4040",
      open: async (page) => {
        await openEntry(page, "4040");
        await page.getByRole("button", { name: "Edit" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("textbox", { name: "Pen" }).fill("Q17");
        await dialog.getByRole("button", { name: "Save 1 change" }).click();
        await page.getByRole("button", { name: /^Undo/ }).waitFor();
      },
    },
    {
      name: "import-done",
      shows: "what came in, one undo for all of it, and the files before",
      hash: "#/import",
      open: async (page) => {
        await page.setInputFiles("input[type=file]", ENTRIES);
        await page.getByRole("button", { name: "Check rows" }).click();
        await page.getByRole("button", { name: "Leave out rows with faults" }).click();
        await page.getByRole("button", { name: /^Import \d+ rows$/ }).click();
        await page
          .getByText(/rows came in/)
          .first()
          .waitFor();
      },
    },
  ];
}
