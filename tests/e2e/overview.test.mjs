// Overview: what happens on phones stands there at once, the tiles lead on, and both codes stand beside them.

import assert from "node:assert/strict";

import { complaints } from "./harness/browser.mjs";
import { DESK_LOOKS } from "./harness/looks.mjs";
import { update } from "./harness/ops.mjs";
import { flows } from "./harness/stand.mjs";
import { rowOf } from "./scenes/clashes.mjs";

const { here, flow } = flows(DESK_LOOKS, { demo: "small" });

flow("a phone that joins, checks in and holds entries is on the overview at once, and the tiles lead on", async () => {
  const page = await here.deskPage();
  const heard = complaints(page);
  await page.getByText("Ready. No phone has joined yet.").waitFor();
  const { checked_in, animals } = await here.desk.running.get("/admin/overview");
  const phone = await here.desk.phone("Maria Ruiz", ["checkin"]);
  const [animal] = await here.animals((one) => one.arrived_at === null, 1);
  const arrives = { arrived_at: new Date().toISOString(), id_check: "match" };
  phone.pending = 3;
  phone.oldest = new Date(Date.now() - 5 * 60_000);
  await phone.apply([update("animals", await rowOf(here, animal), arrives)]);

  const phones = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "Maria" }) });
  await phones.getByRole("img", { name: /^Last 60 minutes: connected/ }).waitFor();
  await page.getByText(/^All good\. 1 phone connected/).waitFor();
  await phones.getByText("3 waiting").waitFor();
  const tile = (/** @type {RegExp} */ name) => page.getByRole("main").getByRole("link", { name });
  await tile(new RegExp(`^Checked in\\s*${checked_in + 1}\\b`)).waitFor();
  await page
    .getByRole("listitem")
    .filter({ hasText: /checked in/ })
    .filter({ hasText: animal.tag })
    .waitFor();
  await page
    .getByRole("status")
    .filter({ hasText: /^Saved / })
    .waitFor();

  await tile(/^Waiting on phones\s*3\b/).click();
  await page.getByRole("row").filter({ hasText: "Maria Ruiz" }).waitFor();
  await page.goBack();
  await tile(/^Checked in/).click();
  await page
    .getByText(new RegExp(`\\b${animals - checked_in - 1} animals`))
    .first()
    .waitFor();
  assert.deepEqual(heard, []);
  await page.context().close();
});

flow("the Wi-Fi is typed once, and both codes stand on the overview and in large", async () => {
  const page = await here.deskPage();
  const heard = complaints(page);
  await page.getByRole("main").getByRole("button", { name: "Set up" }).click();
  const dialog = page.getByRole("dialog", { name: "Connect a phone" });
  await dialog.getByRole("textbox", { name: "Wi-Fi name" }).fill("Showbarn");
  await dialog.getByLabel("Wi-Fi password").fill("sunday-best");
  await dialog.getByRole("button", { name: "Show the Wi-Fi code" }).click();
  const wifi = { name: "QR code to join the Wi-Fi Showbarn" };
  await dialog.getByRole("img", wifi).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("main").getByRole("button", { name: "Get a code" }).click();
  const app = page.getByRole("main").getByRole("img", { name: /^QR code that opens http/ });
  await app.waitFor();
  assert.match((await app.getAttribute("aria-label")) ?? "", /#\/join\//);
  await page.getByRole("main").getByRole("img", wifi).waitFor();

  await page.reload();
  await page.getByRole("main").getByRole("img", wifi).waitFor();
  assert.deepEqual(heard, []);
  await page.context().close();
});
