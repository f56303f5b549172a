// What goes wrong in the county show on Friday morning, and the desk's screens of what it measured of itself.

import { until } from "../harness/wait.mjs";

/**
 * @typedef {import("./county.mjs").County} County
 * @typedef {import("./desk-scenes.mjs").DeskScene} DeskScene
 * @typedef {import("playwright-core").Page} Page
 */

const FULL = "Phone could not save: storage full";

/**
 * A drawer makes the tiles narrower; until the charts are drawn anew the old drawings are shown smaller.
 * @param {Page} page
 */
function drawnToSize(page) {
  return page.waitForFunction(() => {
    const charts = [.../** @type {NodeListOf<SVGSVGElement>} */ (document.querySelectorAll("figure .drawing svg"))];
    const isToSize = (/** @type {SVGSVGElement} */ svg) =>
      Math.abs(svg.viewBox.baseVal.width - svg.getBoundingClientRect().width) < 2;
    return charts.length > 0 && charts.every(isToSize);
  });
}

/**
 * At 9:02 two phones have no room left, and a page of a third has a fault.
 * @param {County} county
 */
export async function troubles(county) {
  const { ana, sam, tom } = county.phones;
  const at = county.now().toISOString();
  const full = {
    error_type: "StorageFull",
    message: FULL,
    context: { level: "quick" },
    at,
  };
  const broken = {
    error_type: "TypeError",
    message: "Cannot read properties of undefined (reading 'unit')",
    stack_trace:
      "at weightText (/assets/entry-screens-C4gd.js:1:20731)\nat Scale (/assets/entry-screens-C4gd.js:1:31202)",
    context: { level: "quick", page: "weigh-in" },
    at,
  };
  await sam.api.post("/telemetry", { type: "error", data: [full, full, full] });
  await ana.api.post("/telemetry", { type: "error", data: [full] });
  await tom.api.post("/telemetry", { type: "error", data: [broken, broken] });
  // Errors are written down beside everything else: the clock waits for it.
  await until("the desk has both problems", async () => {
    const { items } = await county.desk.running.get("/admin/errors");
    return items.length === 2 && items.every((/** @type {{ count: number }} */ { count }) => count > 1);
  });
}

/** @type {(page: Page) => Promise<void>} */
const charts = async (page) => {
  await page.getByRole("img", { name: /^Response time/ }).waitFor();
  await page.getByText(FULL).first().waitFor();
};

/** @type {(act: (page: Page) => Promise<unknown>) => (page: Page) => Promise<void>} */
const then = (act) => async (page) => {
  await charts(page);
  await act(page);
};

/** @type {DeskScene[]} */
export const HEALTH = [
  {
    name: "health",
    shows: "whether all is well: charts, problems, when somebody is told, the cache",
    beside: "health",
    hash: "#/health",
    open: charts,
  },
  {
    name: "health-table",
    shows: "a chart as a table",
    hash: "#/health",
    open: then(async (page) => {
      await page.getByRole("button", { name: "Response time as a table" }).click();
      await page.getByRole("columnheader").first().waitFor();
    }),
  },
  {
    name: "health-around",
    shows: "from a point of a chart to what happened then",
    hash: "#/health",
    open: then(async (page) => {
      await page.getByRole("slider", { name: /^Response time/ }).press("Enter");
      await page.getByRole("heading", { name: /^Requests around/ }).waitFor();
      await page.getByRole("table", { name: /^Requests/ }).waitFor();
      await drawnToSize(page);
    }),
  },
  {
    name: "health-problem",
    shows: "one problem in full: how often, on whose phones, how it looked",
    hash: "#/health",
    open: then(async (page) => {
      await page.getByRole("link", { name: /^Details: Cannot read/ }).click();
      await page.getByText("weightText").first().waitFor();
      await drawnToSize(page);
    }),
  },
  {
    name: "health-rule",
    shows: "one rule in full, while it has something to tell",
    hash: "#/health/rule/phone_away_unsent",
    open: then((page) =>
      page
        .getByRole("region", { name: "Alert" })
        .getByText(/Maria Ruiz/)
        .first()
        .waitFor(),
    ),
  },
  {
    name: "health-rule-limit",
    shows: "a rule's limit, typed wrongly",
    hash: "#/health",
    open: then(async (page) => {
      await page.getByRole("button", { name: "Change the limit: 10 min" }).click();
      await page.getByRole("textbox", { name: /^Limit: / }).fill("soon");
      await page.keyboard.press("Enter");
      await page.getByText("Type a time, such as 10 min or 2 h.").waitFor();
    }),
  },
  {
    name: "health-rule-new",
    shows: "a rule of one's own, with what is missing",
    hash: "#/health",
    open: then(async (page) => {
      await page.getByRole("button", { name: "Add an alert" }).click();
      await page.getByRole("button", { name: "Add alert" }).click();
      await page.getByText("Type milliseconds, such as 500 ms.").waitFor();
    }),
  },
  {
    name: "health-cache",
    shows: "what is kept ready, and clearing it",
    hash: "#/health",
    open: then(async (page) => {
      await page.getByRole("button", { name: "Clear…" }).click();
      await page.getByRole("dialog", { name: "Clear the cache" }).waitFor();
    }),
  },
  {
    name: "health-save",
    shows: "saving charts and the report of the show",
    hash: "#/health",
    open: then(async (page) => {
      await page.getByRole("button", { name: "Save charts" }).click();
      await page.getByRole("dialog", { name: "Save charts" }).waitFor();
    }),
  },
  {
    name: "alerts",
    shows: "what needs somebody, from every page",
    hash: "#/settings/about",
    open: async (page) => {
      await page.getByRole("button", { name: /^\d+ alerts?$/ }).click();
      await page.getByText("A phone is away with unsent work").first().waitFor();
    },
  },
  {
    name: "settings-alerts",
    shows: "where alerts are said, and quiet hours",
    hash: "#/settings/alerts",
    open: (page) => page.getByText("Where alerts are said").waitFor(),
  },
];

/** An empty show. @type {DeskScene[]} */
export const NO_HEALTH = [
  {
    name: "health-empty",
    shows: "before anything was measured, and nothing went wrong",
    hash: "#/health",
    open: (page) => page.getByText(/^No problems/).waitFor(),
  },
];
