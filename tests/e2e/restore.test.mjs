// The laptop's database is put back from a backup while a phone is away: the phone gives back what the desk has lost.
//
// The server is the real program; the backup is a copy of its stopped database, put back behind its back.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PHONE_LOOKS } from "./harness/looks.mjs";
import { flows } from "./harness/stand.mjs";
import { until } from "./harness/wait.mjs";

const { here, flow } = flows(PHONE_LOOKS, { demo: "small" });

flow("what a restored desk has lost comes back from the phone, for a person to decide", async (t) => {
  const { desk } = here;
  const backup = mkdtempSync(join(tmpdir(), "showdesk-backup-"));
  t.after(() => rmSync(backup, { recursive: true, force: true }));
  const maria = await here.phone("Maria Ruiz", ["superintendent"]);
  const { items } = await desk.running.get("/admin/entries?limit=200");
  const tagged = items.filter((/** @type {{ tag: string | null }} */ item) => item.tag !== null);
  const [kept, lost, unsent] = tagged;
  assert.ok(unsent, "the demo show has three tagged animals");

  await maria.fixTag(kept.tag, "9101");
  await tagAtDesk(kept, "9101");
  await desk.stop();
  copyDatabase(desk.folder, backup);
  await desk.start();
  await maria.fixTag(lost.tag, "9102");
  await tagAtDesk(lost, "9102");
  await maria.says("All sent");

  await desk.kill();
  await maria.fixTag(unsent.tag, "9103");
  await maria.says("1 kept");
  copyDatabase(backup, desk.folder);
  await desk.start();

  await maria.says("1 needs checking");
  await tagAtDesk(kept, "9101");
  await tagAtDesk(unsent, "9103");
  await tagAtDesk(lost, lost.tag);
  const conflicts = (await desk.running.get("/admin/conflicts?status=open")).items;
  assert.deepEqual(
    conflicts.map((/** @type {Record<string, any>} */ one) => [one.kind, one.record_id, one.client_data.tag]),
    [["restored_server", lost.animal_id, "9102"]],
  );
  await maria.show("checks");
  await maria.page.getByText(`Until then everybody sees ${lost.tag}.`).waitFor();
  assert.deepEqual(maria.heard, []);
});

/**
 * Waits until the desk has the animal under this tag.
 * @param {{ animal_id: string }} animal
 * @param {string} tag
 */
async function tagAtDesk(animal, tag) {
  await until(`the desk has the tag ${tag}`, async () => {
    const { items } = await here.desk.running.get("/admin/entries?limit=200");
    const found = items.find((/** @type {{ animal_id: string }} */ item) => item.animal_id === animal.animal_id);
    return found?.tag === tag || undefined;
  });
}

/**
 * Copies the database with its side files over the one that is there. The mark beside it stays: it remembers more.
 * @param {string} from
 * @param {string} to
 */
function copyDatabase(from, to) {
  const isDatabase = (/** @type {string} */ name) => name.startsWith("showdesk.sqlite");
  for (const name of readdirSync(to).filter(isDatabase)) rmSync(join(to, name));
  for (const name of readdirSync(from).filter(isDatabase)) cpSync(join(from, name), join(to, name));
}
