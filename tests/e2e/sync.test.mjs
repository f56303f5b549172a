// The main job: two phones work while the desk is away, clash, and a person decides.
//
// The server is the real program, and away means that it does not run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { barriers } from "./harness/browser.mjs";
import { PHONE_LOOKS } from "./harness/looks.mjs";
import { ScriptedPhone } from "./harness/scripted-phone.mjs";
import { flows } from "./harness/stand.mjs";

const { here, flow } = flows(PHONE_LOOKS, { demo: "county" });

flow("two phones work while the desk is away, and one clash is decided by a person", async (t) => {
  const { desk } = here;
  const page = await here.deskPage();
  // A superintendent corrects tags, the scale weighs.
  const { url } = await desk.openJoining(["superintendent", "scale", "checkin"]);
  const [disputed, first, second] = await unweighed(3);

  const maria = await join("Maria Ruiz", url, page);
  const sam = await join("Sam Lee", url, page);

  await t.test("while the server does not run, entries are kept on the phones", async () => {
    await desk.kill();
    await maria.fixTag(disputed.tag, "9001");
    await maria.weigh(first.tag, 251);
    await sam.fixTag(disputed.tag, "9002");
    await sam.weigh(second.tag, 252);
    await maria.says("2 kept");
    await sam.says("2 kept");
    await page
      .getByText(/^Not reaching the laptop/)
      .first()
      .waitFor();
    assert.deepEqual(await barriers(maria.page), []);
    assert.deepEqual(await barriers(page), []);
  });

  await t.test("meanwhile a phone can hand its entries over as a file or as codes", async () => {
    await maria.show("waiting");
    const [file] = await Promise.all([
      maria.page.waitForEvent("download"),
      maria.page.getByRole("button", { name: "Save file" }).click(),
    ]);
    assert.match(file.suggestedFilename(), /^showdesk-maria-ruiz-\d{8}-\d{4}\.json$/);
    const copy = JSON.parse(readFileSync(await file.path(), "utf8"));
    const sent = copy.pushes.flatMap((/** @type {{ ops: unknown[] }} */ push) => push.ops);
    assert.deepEqual(
      sent.map((/** @type {{ table_name: string }} */ op) => op.table_name),
      ["animals", "weigh_ins"],
    );
    assert.deepEqual(await barriers(maria.page), []);
    await maria.page.getByRole("button", { name: "Show QR" }).click();
    await maria.page.getByRole("img", { name: /^Code 1 of \d$/ }).waitFor();
    assert.deepEqual(await barriers(maria.page), []);
    await maria.page.keyboard.press("Escape");
    await maria.says("2 kept");
  });

  await t.test("when it is back, the weights are in and the tag is one open clash", async () => {
    await desk.start();
    await Promise.race([maria.says("1 needs checking"), sam.says("1 needs checking")]);
    await Promise.all([maria, sam].map((phone) => phone.says("(All sent|1 needs checking)")));

    const { items } = await desk.running.get("/admin/conflicts?status=open");
    assert.equal(items.length, 1);
    const [clash] = items;
    assert.equal(clash.record_id, disputed.animal_id);
    assert.deepEqual(clash.contested, ["tag"]);
    assert.equal(clash.base_data.tag, disputed.tag);
    assert.deepEqual([clash.server_data.tag, clash.client_data.tag].toSorted(), ["9001", "9002"]);
    assert.equal((await entry(first)).official_weight_x10, 2510);
    assert.equal((await entry(second)).official_weight_x10, 2520);
  });

  const { items } = await desk.running.get("/admin/conflicts?status=open");
  const [clash] = items;

  await t.test("a person decides at the keyboard", async () => {
    // The launch's token is new: the window would have been opened again.
    const again = await here.deskPage("#/needs-checking");
    const row = again.getByRole("row").filter({ hasText: "Tag" });
    // In a column of its own, or under the field's name where there is no room for one.
    await row.getByText(disputed.tag).filter({ visible: true }).first().waitFor();
    for (const tag of ["9001", "9002"]) await row.getByText(tag, { exact: true }).first().waitFor();
    assert.deepEqual(await barriers(again), []);

    await again.keyboard.press("1");
    await again.keyboard.press("Enter");
    await again.getByText(/^Nothing to check\./).waitFor();
    assert.deepEqual(await barriers(again), []);

    const decided = await desk.running.get(`/admin/conflicts/${clash.id}`);
    assert.equal(decided.status, "resolved");
    assert.equal(decided.decisions.length, 1);
    assert.equal(decided.decisions[0].resolution, "client_wins");
    assert.equal((await entry(disputed)).tag, clash.client_data.tag);
    await again.context().close();
  });

  await t.test("both phones show who decided what", async () => {
    for (const phone of [maria, sam]) {
      await phone.show("checks");
      await phone.page
        .getByText(/^Decided by Desk/)
        .first()
        .waitFor();
      await phone.page.getByText(clash.client_data.tag).first().waitFor();
      assert.deepEqual(await barriers(phone.page), []);
      await phone.show("waiting");
      await phone.page
        .getByText(/^Nothing is waiting\./)
        .first()
        .waitFor();
    }
  });

  await t.test("nothing is lost and nothing is doubled", async () => {
    const reader = await scriptedReader();
    const weights = (await reader.rows("weigh_ins")).map((row) => row.data);
    for (const [animal, weight] of /** @type {const} */ ([
      [first, 2510],
      [second, 2520],
    ])) {
      const own = weights.filter((row) => row["animal_id"] === animal.animal_id);
      assert.deepEqual(
        own.map((row) => row["weight_x10"]),
        [weight],
      );
    }
    const { items: versions } = await desk.running.get(`/admin/records/animals/${disputed.animal_id}/history`);
    const tags = versions.map((/** @type {{ snapshot: { tag: string } }} */ version) => version.snapshot.tag);
    // Newest first; a version that changed something else repeats the tag of the one before.
    const changes = tags.filter((/** @type {string} */ tag, /** @type {number} */ at) => tag !== tags[at + 1]);
    assert.deepEqual(changes, [clash.client_data.tag, clash.server_data.tag, disputed.tag]);
    assert.deepEqual([...maria.heard, ...sam.heard], []);
  });
});

/**
 * Animals that nobody has weighed.
 * @param {number} count
 */
async function unweighed(count) {
  const { items } = await here.desk.running.get("/admin/entries?limit=200");
  const free = items.filter(
    (/** @type {any} */ item) => item.tag && item.species === "swine" && item.official_weight_x10 === null,
  );
  assert.ok(free.length >= count, "the demo show has animals that wait for the scale");
  return free.slice(0, count);
}

/**
 * The animal as the desk lists it now.
 * @param {{ animal_id: string, exhibitor: string }} animal
 */
async function entry(animal) {
  const query = new URLSearchParams({ query: animal.exhibitor, limit: "200" });
  const { items } = await here.desk.running.get(`/admin/entries?${query}`);
  return items.find((/** @type {{ animal_id: string }} */ item) => item.animal_id === animal.animal_id);
}

/**
 * Joins by the code's address; the person at the desk compares the numbers and taps Allow.
 * @param {string} name
 * @param {string} url
 * @param {import("playwright-core").Page} page
 */
async function join(name, url, page) {
  const phone = await here.scan(url);
  const digits = await phone.ask(name);
  await page.getByTitle(`Allow ${name}, number ${digits}`).click();
  await phone.joined();
  return phone;
}

/** A phone that only looks, to see all rows as phones see them. */
async function scriptedReader() {
  const { code } = await here.desk.openJoining(["scale"]);
  return ScriptedPhone.join(`http://${here.desk.http}`, code, "Reader", () => here.desk.allow("Reader"));
}
