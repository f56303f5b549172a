// Every screen and state of the desk: how a person gets there, and what stands there then.

import { fileURLToPath } from "node:url";

/**
 * @typedef {import("playwright-core").Page} Page
 * @typedef {{
 *   name: string,
 *   shows: string,
 *   beside?: string,
 *   hash: string,
 *   isRefused?: true,
 *   open: (page: Page) => Promise<unknown>,
 * }} DeskScene `beside`: the drawing it stands beside; `isRefused`: the program refuses an answer on purpose
 */

const ENTRIES = fileURLToPath(new URL("../../vectors/demo-entries.csv", import.meta.url));
/** @type {(page: Page, name: string | RegExp) => Promise<void>} */
const heading = (page, name) => page.getByRole("heading", { name }).first().waitFor();

/** After so long without a phone a test of the network tells the usual causes. */
const TEST_PATIENCE_MS = 20_000;
/** @type {(page: Page) => Promise<void>} */
const phoneRow = (page) => page.getByRole("row").filter({ hasText: "Maria Ruiz" }).first().waitFor();
/** @type {(page: Page) => Promise<void>} */
const phoneDrawer = async (page) => {
  await page.getByRole("row").filter({ hasText: "Maria Ruiz" }).first().click();
  await page.getByRole("switch").first().waitFor();
};

/**
 * At 9:34, while two phones are away.
 * @type {DeskScene[]}
 */
export const MORNING = [
  {
    name: "overview",
    shows: "the status sentence, counts, phones, who asks to join, now and next, activity",
    beside: "overview",
    hash: "#/",
    open: async (page) => {
      await page.getByText("Rosa Delgado").waitFor();
      await page.getByRole("button", { name: "Get a code" }).click();
      await page.getByRole("img", { name: /^QR code that opens/ }).waitFor();
    },
  },
  {
    name: "find",
    shows: "what any number finds, from every page",
    hash: "#/",
    open: async (page) => {
      await page
        .getByRole("banner")
        .getByRole("combobox")
        .or(page.getByRole("banner").getByRole("searchbox"))
        .fill("40");
      await page.getByRole("option").first().waitFor();
    },
  },
  {
    name: "connect",
    shows: "both codes, large, and who asks to join",
    hash: "#/",
    open: async (page) => {
      await page.getByRole("banner").getByRole("button", { name: "Connect a phone" }).click();
      await page.getByRole("dialog", { name: "Connect a phone" }).getByRole("img").nth(1).waitFor();
    },
  },
  {
    name: "connect-code",
    shows: "a code that was made: the address and the short code for a phone without a camera, and every open code",
    hash: "#/",
    open: async (page) => {
      await page.getByRole("banner").getByRole("button", { name: "Connect a phone" }).click();
      const dialog = page.getByRole("dialog", { name: "Connect a phone" });
      await dialog.getByRole("button", { name: "Make a code" }).click();
      await dialog.getByRole("group", { name: "Short code" }).waitFor();
    },
  },
  {
    name: "poster",
    shows: "both codes on a page for the wall",
    hash: "#/poster",
    open: async (page) => {
      await page.getByRole("button", { name: "Make a code for two hours" }).click();
      await page.getByRole("img", { name: /^QR code that opens/ }).waitFor();
    },
  },
  {
    name: "phones",
    shows: "every phone, the person behind it, what is still on it, and who asks to join",
    beside: "phones",
    hash: "#/phones",
    open: phoneRow,
  },
  {
    name: "phone",
    shows: "one phone beside the list: what waits on it, and what its person may do",
    beside: "phones",
    hash: "#/phones",
    open: phoneDrawer,
  },
  {
    name: "phone-all-rights",
    shows: "every switch of a person",
    hash: "#/phones",
    open: async (page) => {
      await phoneDrawer(page);
      await page.getByRole("button", { name: /^Show all \d+$/ }).click();
    },
  },
  {
    name: "phone-change",
    shows: "changing what a phone's person does, where, and how long",
    hash: "#/phones",
    open: async (page) => {
      await phoneDrawer(page);
      await page.getByRole("button", { name: "Change…", exact: true }).last().click();
      await page.getByRole("dialog", { name: /^Change / }).waitFor();
    },
  },
  {
    name: "phone-remove",
    shows: "what is still on a phone before it is removed",
    hash: "#/phones",
    open: async (page) => {
      await phoneDrawer(page);
      await page.getByRole("button", { name: "Remove phone…" }).click();
      await page.getByRole("dialog", { name: /^Remove / }).waitFor();
    },
  },
  {
    name: "phone-allow",
    shows: "a phone that asks to join is given another job first",
    hash: "#/phones?show=asking",
    open: async (page) => {
      await page.getByRole("button", { name: "Change what Rosa Delgado does, then allow" }).last().click();
      await page.getByRole("dialog", { name: "Let Rosa Delgado in?" }).waitFor();
    },
  },
  {
    name: "phones-nothing",
    shows: "no phone found",
    hash: "#/phones?q=no+such+phone",
    open: (page) => page.getByText(/^No phone found for/).waitFor(),
  },
  {
    name: "network",
    shows: "how phones reach the laptop, the addresses, and the letters of the show's certificate",
    hash: "#/settings/network",
    open: (page) => page.getByText("Fingerprint", { exact: true }).waitFor(),
  },
  {
    name: "network-test",
    shows: "a test of the network that waits for a phone",
    hash: "#/settings/network?test=on",
    open: (page) => page.getByText("Waiting for a phone…").waitFor(),
  },
  {
    name: "network-test-stuck",
    shows: "no phone got through: the usual causes",
    hash: "#/settings/network",
    open: async (page) => {
      await page.getByText("Fingerprint", { exact: true }).waitFor();
      await page.clock.install({ time: await page.evaluate(() => Date.now()) });
      await page.getByRole("button", { name: "Test this network" }).click();
      await page.getByText("Waiting for a phone…").waitFor();
      await page.clock.runFor(TEST_PATIENCE_MS);
      await page.getByText("Usually it is one of three things").waitFor();
    },
  },
  {
    name: "network-renew",
    shows: "making new certificates, and what that means for phones",
    hash: "#/settings/network",
    open: async (page) => {
      await page.getByRole("button", { name: "Make new certificates…" }).click();
      await page.getByRole("dialog", { name: "Make new certificates" }).waitFor();
    },
  },
  {
    name: "activity",
    shows: "what people entered and decided",
    hash: "#/activity",
    open: (page) =>
      page
        .getByText(/Berkshire gilt/)
        .first()
        .waitFor(),
  },
  {
    name: "away",
    shows: "the page when the program does not answer",
    hash: "#/",
    open: async (page) => {
      await page.getByText("Rosa Delgado").waitFor();
      await page.route("**/api/**", (route) => route.abort());
      await page.evaluate(() => window.dispatchEvent(new Event("focus")));
      await page.context().setOffline(true);
      await page
        .getByText(/^Not reaching the laptop/)
        .first()
        .waitFor();
    },
  },
];

/**
 * At 9:43, when Maria's phone is back.
 * @type {DeskScene[]}
 */
export const LATER = [
  {
    name: "entries",
    shows: "every animal in one fast table",
    beside: "entries",
    hash: "#/entries",
    open: (page) => page.getByRole("row").nth(5).waitFor(),
  },
  {
    name: "entries-found",
    shows: "entries found by part of a number",
    hash: "#/entries?q=40",
    open: (page) => page.getByRole("row").nth(2).waitFor(),
  },
  {
    name: "entries-nothing",
    shows: "nothing found",
    hash: "#/entries?q=no+such+animal",
    open: (page) => page.getByText(/^Nothing found for/).waitFor(),
  },
  {
    name: "entry-add",
    shows: "a late entry: an exhibitor is found, and what is missing is said at its field",
    hash: "#/entries",
    open: async (page) => {
      await page.getByRole("button", { name: "Add an entry" }).click();
      const dialog = page.getByRole("dialog", { name: "Add an entry" });
      await dialog.getByRole("searchbox", { name: "Find an exhibitor" }).fill("228");
      await dialog.getByRole("button", { name: /^#228 / }).click();
      await dialog.getByRole("combobox", { name: "Species" }).selectOption("sheep");
      await dialog.getByRole("textbox", { name: "Tag" }).fill("late-1");
      await dialog.getByRole("button", { name: "Add entry" }).click();
      await dialog.getByText("Choose the class.").waitFor();
    },
  },
  {
    name: "entry",
    shows: "one record: what is being checked, facts, weigh-ins, and every version",
    beside: "entries",
    hash: "#/entries?q=41",
    open: async (page) => {
      await page.getByRole("row").filter({ hasText: "Being checked" }).first().click();
      await page.getByRole("heading", { name: "History" }).first().waitFor();
    },
  },
  {
    name: "entry-edit",
    shows: "editing a record by hand",
    hash: "#/entries?q=4040",
    open: async (page) => {
      await page.getByRole("row").filter({ hasText: "4040" }).first().click();
      await page.getByRole("button", { name: "Edit" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "entry-weigh",
    shows: "weighing at the desk",
    hash: "#/entries?q=4040",
    open: async (page) => {
      await page.getByRole("row").filter({ hasText: "4040" }).first().click();
      await page.getByRole("button", { name: /^(Re-weigh|Weigh)$/ }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "needs-checking-decided",
    shows: "decided entries",
    hash: "#/needs-checking?show=decided",
    open: (page) =>
      page
        .getByText(/decided this at/)
        .first()
        .waitFor(),
  },
  {
    name: "needs-checking-joined",
    shows: "what a rule joined by itself",
    hash: "#/needs-checking?show=joined",
    open: (page) => page.getByText(/^\d+ of \d+$/).waitFor(),
  },
  {
    name: "needs-attention",
    shows: "entries that the desk did not accept",
    hash: "#/needs-checking?show=attention",
    open: (page) =>
      page
        .getByText(/Nothing is lost/)
        .first()
        .waitFor(),
  },
  {
    name: "audit",
    shows: "who did what, when, from where, what was before, and why",
    hash: "#/audit",
    open: (page) => page.getByText(/That is everything/).waitFor(),
  },
  {
    name: "audit-entry",
    shows: "one line of the record in full",
    hash: "#/audit?action=conflict_resolved",
    open: async (page) => {
      await page.getByRole("grid").getByRole("row").nth(1).click();
      await page.getByRole("link", { name: "Open the clash" }).waitFor();
    },
  },
  {
    name: "audit-nothing",
    shows: "nothing found in the record",
    hash: "#/audit?q=no+such+thing",
    open: (page) => page.getByText("Nothing found.").waitFor(),
  },
  {
    name: "import",
    shows: "the first step: choose a file",
    hash: "#/import",
    open: (page) => page.getByRole("button", { name: "Choose a file" }).waitFor(),
  },
  {
    name: "import-columns",
    shows: "what each column of the file holds",
    hash: "#/import",
    open: async (page) => {
      await page.setInputFiles("input[type=file]", ENTRIES);
      await page.getByRole("button", { name: "Check rows" }).waitFor();
    },
  },
  {
    name: "import-rows",
    shows: "every row before it counts, with a fault mended in its row",
    beside: "import",
    hash: "#/import",
    open: async (page) => {
      await page.setInputFiles("input[type=file]", ENTRIES);
      await page.getByRole("button", { name: "Check rows" }).click();
      await page.getByRole("button", { name: "Leave out rows with faults" }).waitFor();
    },
  },
  {
    name: "rescue",
    shows: "taking in the file of a phone that cannot reach the laptop",
    hash: "#/rescue",
    open: (page) => page.getByRole("button", { name: "Choose a file" }).waitFor(),
  },
  {
    name: "settings-stage",
    shows: "what the next stage closes and opens",
    hash: "#/settings",
    open: async (page) => {
      await page.getByRole("button", { name: "Go on to C" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "settings-about",
    shows: "the version, where the data is, and what it is made with",
    hash: "#/settings/about",
    open: async (page) => {
      await page.getByText("Number of this desk").waitFor();
      await page.getByText(/^Saved /).waitFor();
    },
  },
  {
    name: "settings",
    shows: "the show, its rules, its stage and what each stage allows",
    hash: "#/settings",
    open: (page) => heading(page, "Settings"),
  },
];

/**
 * Before there is a show.
 * @type {DeskScene[]}
 */
export const FIRST = [
  {
    name: "welcome",
    shows: "the first start: who you are",
    hash: "#/",
    open: (page) => page.getByRole("heading", { name: "Welcome to Showdesk" }).waitFor(),
  },
  {
    name: "welcome-show",
    shows: "the first start: what the show is",
    hash: "#/",
    open: async (page) => {
      await page.getByLabel("Your name").fill("Dan Keller");
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByLabel("Name of the show").fill("Cedar County Fair");
    },
  },
  {
    name: "overview-empty",
    shows: "a show without phones and entries",
    hash: "#/?empty",
    open: async (page) => {
      await page.getByLabel("Your name").fill("Dan Keller");
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByLabel("Name of the show").fill("Cedar County Fair");
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByRole("button", { name: /^Start empty/ }).click();
      await page.getByText("Ready. No phone has joined yet.").waitFor();
    },
  },
  {
    name: "entries-empty",
    shows: "no entries yet, and what to do",
    hash: "#/entries",
    open: (page) => page.getByText("No entries yet.").waitFor(),
  },
  {
    name: "phones-empty",
    shows: "no phone has joined yet",
    hash: "#/phones",
    open: (page) => page.getByText("No phone has joined yet.").first().waitFor(),
  },
  {
    name: "needs-checking-empty",
    shows: "nothing to check",
    beside: "needs-checking-empty",
    hash: "#/needs-checking",
    open: (page) =>
      page
        .getByText(/^Nothing to check/)
        .first()
        .waitFor(),
  },
];

/**
 * Two weights of one animal, step by step, and one clash of every other kind.
 * @param {any[]} clashes that are open
 * @returns {DeskScene[]}
 */
export function deciding(clashes) {
  const weight = clashes.findLast((one) => one.rule === "C1");
  const hash = `#/needs-checking/${weight.id}`;
  const shown = (/** @type {Page} */ page) =>
    page
      .getByRole("button", { name: /^Use phone.s/ })
      .first()
      .waitFor();
  const then = (/** @type {(page: Page) => Promise<unknown>} */ act) => async (/** @type {Page} */ page) => {
    await shown(page);
    await act(page);
  };
  const kinds = new Map(clashes.map((one) => [one.rule ?? one.kind, one]));
  kinds.delete("C1");
  return [
    {
      name: "needs-checking",
      shows: "two weights for one animal: was, phone, laptop, result",
      beside: "needs-checking",
      hash,
      open: shown,
    },
    {
      name: "needs-checking-chosen",
      shows: "the phone's weight chosen, not yet saved",
      beside: "needs-checking-chosen",
      hash,
      open: then((page) => page.keyboard.press("1")),
    },
    {
      name: "needs-checking-typed",
      shows: "another weight typed, with a fault in it",
      hash,
      open: then(async (page) => {
        await page.keyboard.press("3");
        await page.getByRole("textbox", { name: "Weight" }).fill("6x2");
        await page.keyboard.press("Enter");
        await page.getByRole("alert").first().waitFor();
      }),
    },
    {
      name: "needs-checking-bulk",
      shows: "twelve of one outage decided together: every value before it is saved",
      beside: "needs-checking-bulk",
      hash,
      open: then(async (page) => {
        await page.getByRole("checkbox", { name: /^Select all of Maria/ }).check();
        await page.getByRole("button", { name: /^Decide \d+ together/ }).click();
        await page.getByRole("dialog").getByRole("radio").first().check();
        await page.getByRole("button", { name: /^Save \d+ decisions$/, disabled: false }).waitFor();
      }),
    },
    {
      name: "needs-checking-ask",
      shows: "a question to the person at the phone",
      hash,
      open: then(async (page) => {
        await page.keyboard.press("a");
        await page.getByRole("textbox", { name: "Your question" }).waitFor();
      }),
    },
    {
      name: "needs-checking-keys",
      shows: "all keys",
      hash,
      open: then(async (page) => {
        await page.keyboard.press("?");
        await page.getByRole("dialog").waitFor();
      }),
    },
    ...[...kinds].map(([kind, one]) => ({
      name: `needs-checking-${String(kind).toLowerCase().replaceAll("_", "-")}`,
      shows: KINDS[kind] ?? kind,
      hash: `#/needs-checking/${one.id}`,
      open: (/** @type {Page} */ page) => page.getByText(/^\d+ of \d+$/).waitFor(),
    })),
  ];
}

/** @type {Readonly<Record<string, string>>} */
const KINDS = {
  C6: "a placed animal is disqualified",
  C7: "two result cards for one class",
  C8: "one card gives a place twice",
  update_update: "two values for one field",
  insert_insert: "the same entry made twice",
  update_deleted: "changed on a phone, deleted at the laptop",
  delete_updated: "deleted on a phone, changed at the laptop",
  unique_violation: "one tag wanted by two animals",
  missing_reference: "a weight of an animal that never came",
  merged_invalid: "two changes that do not fit together",
};
