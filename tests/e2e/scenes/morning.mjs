// What happens in the county show on Friday morning: until 9:34, and when Maria's phone comes back at 9:41.

import { group, having, insert, naturalId, remove, update, weighing } from "../harness/ops.mjs";
import { call, County, friday, grouped, PEOPLE } from "./county.mjs";
import { troubles } from "./health.mjs";
import { earlyMessages, lateMessages } from "./messages.mjs";

/**
 * @typedef {import("../harness/ops.mjs").Op} Op
 * @typedef {import("../harness/ops.mjs").Row} Row
 */

/**
 * What a phone did while it was away: its ops keep the time at which they were made.
 * @typedef {{ of: { animal: Row, weighIn: Row, entry: Row, class: Row }, op: Op }[]} Away
 */

/** How much more Maria's scale shows than Dan types, in tenths of a pound; all are beyond the tolerance of 5 lb. */
const BETWEEN_X10 = [90, 120, 80, 470, 100, 60, 150, 90, 110, 70, 130, 80];
/** How much an animal has gained since Thursday by the paper roll. */
const fromThePaper = (/** @type {number} */ place) => 40 + 30 * (place % 3);

/** The show until 9:34: phones at work, two of them away, three things to check. */
export async function morning() {
  const county = await County.open();
  for (const { key, joins } of PEOPLE) if (joins < "09:00") await county.join(key);
  county.quietUntil("08:33");
  county.reach("grace", "weak");
  await nameThePerson(county);
  await county.at("08:46");
  await ringsAreBusy(county);
  await county.at("08:51");
  await earlyMessages(county);
  await threeThings(county);
  await county.at("09:02");
  await troubles(county);
  await county.at("09:04");
  const { maria, sam } = county.phones;
  const [first, ...cattle] = await heavy(county);
  if (!first) throw new Error("no cattle are weighed");
  maria.pending = 12;
  maria.oldest = friday("09:03");
  await maria.apply([county.reweigh(first, 20)]);
  county.reach("maria", "away");
  const away = await mariaIsAway(county, cattle.slice(0, 12));

  await county.at("09:13");
  await county.join("hale");
  await county.at("09:14");
  await atTheLaptop(county, cattle.slice(0, 12));
  await county.at("09:29");
  sam.pending = 2;
  sam.oldest = friday("09:29");
  await county.at("09:30");
  await arrivals(county);
  await lateMessages(county);
  county.reach("sam", "away");
  await joined(county);
  await county.at("09:34");
  return { county, away };
}

/**
 * Maria's phone is back, and with it clashes of every kind wait for a person at 9:43.
 * @param {Awaited<ReturnType<typeof morning>>} show
 */
export async function afterTheOutage({ county, away }) {
  await county.at("09:40");
  await county.at("09:41");
  county.reach("maria", "near");
  const { maria } = county.phones;
  maria.pending = 0;
  maria.oldest = null;
  await maria.push(away.map(({ op }) => op));
  await notAccepted(county);
  await everyKind(county);
  await twoAreDecided(county);
  await county.at("09:43");
}

/** @param {County} county */
async function nameThePerson(county) {
  await county.desk.running.put("/admin/person", { name: "Dan Keller" });
}

/** @param {County} county */
const heavy = (county) =>
  county.weighed("09:50", (data) => data["species"] === "cattle" && data["arrived_at"] !== null);

/**
 * A class in each ring, and those before it judged.
 * @param {County} county
 */
async function ringsAreBusy(county) {
  const JUDGED = 5;
  const classes = await county.rows("classes", (data) => data["ring_id"] !== null);
  for (const [place, [, inRing]] of grouped(classes, "ring_id").entries()) {
    const order = inRing.toSorted((one, other) => one.data["seq"] - other.data["seq"]);
    const [before, now] = [order.slice(0, JUDGED), order[JUDGED]];
    if (!now) throw new Error("a ring has too few classes");
    await county.at(place === 0 ? "08:47" : "08:48");
    await county.office.apply(before.map((one) => call(one, "in_ring", friday("08:33"))));
    await county.office.apply(before.map((one) => call(one, "judged", friday("08:43"))));
    await county.office.apply([call(now, "in_ring", county.now())]);
  }
}

/**
 * The first three clashes of the day: a tag on two hogs, a breed, and a pen that was joined.
 * @param {County} county
 */
async function threeThings(county) {
  const { joel, lena } = county.phones;
  const hogs = await county.weighed("12:00", (data) => data["species"] === "swine" && data["tag"]);
  const [one, other, third] = hogs.map(({ animal }) => animal);
  if (!one || !other || !third) throw new Error("there are too few hogs");
  await county.at("08:52");
  await joel.push([update("animals", one, { tag: other.data["tag"] })]);
  const [wether] = await county.rows("animals", (data) => data["species"] === "sheep" && data["sex"] === "wether");
  if (!wether) throw new Error("there is no wether");
  await county.at("08:54");
  await joel.push([update("animals", wether, { breed: "Hampshire" })]);
  await county.at("08:57");
  await lena.push([update("animals", wether, { breed: "Suffolk cross" })]);
  await county.at("08:58");
  await joel.push([update("animals", third, { tag: `${third.data["tag"]}1` })]);
  await lena.push([update("animals", third, { tag: `${third.data["tag"]}7` })]);
}

/**
 * Entries that the desk did not accept: a job that may not, and a weight that came after classes were published.
 * @param {County} county
 */
async function notAccepted(county) {
  const { maria, tom, ana } = county.phones;
  const [late, other] = (await county.weighed("11:00", (data) => data["species"] === "goat")).map((one) => one.animal);
  const [shown] = await county.rows("classes");
  if (!late || !other || !shown) throw new Error("there are too few goats");
  const made = { client_time: friday("08:51").toISOString() };
  await county.stage("C", "Classes are published");
  await maria.push([having(weighing(late, 812, { weighed_at: made.client_time }), made)]);
  await county.stage("B", "Two trailers came late: weighing is open again");
  await tom.push([call(shown, "call_1", county.now())]);
  await ana.push([update("animals", other, { tag: "G-771" })]);
}

/**
 * What Maria weighs while her phone is away. The phone sends it when it is back.
 * @param {County} county
 * @param {Away[number]["of"][]} cattle
 * @returns {Promise<Away>}
 */
async function mariaIsAway(county, cattle) {
  return cattle.map((of, place) => {
    const at = friday(`09:${String(16 + place).padStart(2, "0")}`).toISOString();
    const { animal, weighIn } = of;
    const weight = weighIn.data["weight_x10"] + fromThePaper(place) + (BETWEEN_X10[place] ?? 90);
    const op = weighing(animal, weight, { weighed_at: at, scale: "Scale 1" });
    return { of, op: having(op, { client_time: at }) };
  });
}

/**
 * Dan types the same animals' weights at the laptop from the scale's paper roll.
 * @param {County} county
 * @param {Away[number]["of"][]} cattle
 */
async function atTheLaptop(county, cattle) {
  for (const [place, of] of cattle.entries()) {
    if (place % 4 === 0) await county.at(`09:${15 + place / 4}`);
    await county.office.apply([county.reweigh(of, fromThePaper(place))]);
  }
}

/**
 * Dan decides a breed, and that an exhibitor who was entered twice stays deleted.
 * @param {County} county
 */
async function twoAreDecided(county) {
  const clashes = await county.clashes();
  const breed = clashes.find((one) => one.contested.includes("breed"));
  const club = clashes.find((one) => one.kind === "update_deleted");
  await county.at("09:42");
  await county.decide(breed, "client_wins", "The papers say so");
  await county.decide(club, "server_wins", "Entered twice, the other one stays");
}

/** @param {County} county */
async function arrivals(county) {
  const { sam, ana } = county.phones;
  const coming = await county.rows("animals", (data) => data["arrived_at"] === null && data["pen"] !== null);
  for (const [place, animal] of coming.slice(0, 6).entries()) {
    const phone = place % 2 === 0 ? ana : sam;
    await phone.apply([
      update("animals", animal, {
        arrived_at: county.now().toISOString(),
        id_check: "match",
      }),
    ]);
  }
}

/**
 * Two people change the same pen: the later one holds, and it is noted.
 * @param {County} county
 */
async function joined(county) {
  const { ana } = county.phones;
  const gilts = await county.rows("animals", (data) => data["sex"] === "gilt");
  for (const [place, gilt] of gilts.slice(0, 3).entries()) {
    await county.at(`09:${31 + place}`);
    await county.office.apply([update("animals", gilt, { pen: `S${20 + place}` })]);
    await ana.apply([update("animals", gilt, { pen: `S${30 + place}` })]);
  }
}

/**
 * One clash of each kind that is not there yet.
 * @param {County} county
 */
async function everyKind(county) {
  await twoCards(county);
  await disqualified(county);
  await deletedAndChanged(county);
  await sameEntryTwice(county);
  await crossedRange(county);
  await parentNeverCame(county);
}

/**
 * The ring's clerk and the office post the same class, differently (C7); another card gives a place twice (C8).
 * @param {County} county
 */
async function twoCards(county) {
  const { priya } = county.phones;
  const entries = await county.rows("entries", (data) => data["animal_id"] !== null);
  const [first, second] = grouped(entries, "family_id").filter(([, inClass]) => inClass.length >= 5);
  if (!first || !second) throw new Error("no class has five animals");
  await county.at("09:41");
  await county.office.push(card(first[0], first[1].slice(0, 5), [1, 2, 3, 4, 5]));
  await priya.push(card(first[0], first[1].slice(0, 5), [1, 3, 2, 4, 5]));
  await priya.push(card(second[0], second[1].slice(0, 5), [1, 2, 2, 3, 4]));
}

/**
 * A whole class on one sheet.
 * @param {string} classId
 * @param {Row[]} entries
 * @param {number[]} places
 */
function card(classId, entries, places) {
  return group(
    entries.map((entry, at) =>
      insert(
        "placings",
        { class_id: classId, entry_id: entry.record_id, place: places[at] },
        naturalId(classId, entry.record_id),
      ),
    ),
  );
}

/**
 * An animal that is placed is disqualified (C6).
 * @param {County} county
 */
async function disqualified(county) {
  const [placed] = await county.rows("placings", (data) => data["place"] === 3);
  const entries = await county.rows("entries");
  const entry = entries.find((row) => row.record_id === placed?.data["entry_id"]);
  if (!entry) throw new Error("nothing is placed");
  const out = update("entries", entry, { out_reason: "disqualified" });
  await county.phones.lena.push([having(out, { reason: "No health papers" })]);
}

/**
 * Somebody edits what another has deleted, and the other way round.
 * @param {County} county
 */
async function deletedAndChanged(county) {
  const { ana, priya } = county.phones;
  const [one, other] = [
    insert("exhibitors", {
      first_name: "Ivy",
      last_name: "Marsh",
      club_chapter: "Oak Hill 4-H",
    }),
    insert("exhibitors", {
      first_name: "Noel",
      last_name: "Park",
      club_chapter: "Prairie View FFA",
    }),
  ];
  await county.office.apply([one, other]);
  const rows = await county.rows("exhibitors");
  const [ivy, noel] = [one, other].map(({ record_id }) => rows.find((row) => row.record_id === record_id));
  if (!ivy || !noel) throw new Error("the exhibitors are not there");
  await county.office.apply([having(remove("exhibitors", ivy), { reason: "Entered twice" })]);
  await ana.push([update("exhibitors", ivy, { club_chapter: "Oak Hill Juniors" })]);
  await ana.apply([update("exhibitors", noel, { club_chapter: "Prairie View Juniors" })]);
  await priya.push([having(remove("exhibitors", noel), { reason: "Did not pay" })]);
}

/**
 * The same late entry typed on two devices, with different catalogue numbers.
 * @param {County} county
 */
async function sameEntryTwice(county) {
  const [animal] = await county.rows("animals", (data) => data["species"] === "goat" && data["sex"] === "doe");
  const classes = await county.rows("classes", (data) => data["department"] === "goat");
  const entries = await county.rows("entries", (data) => data["animal_id"] === animal?.record_id);
  const free = classes.find((one) => entries.every((entry) => entry.data["family_id"] !== one.record_id));
  if (!animal || !free) throw new Error("there is no free goat class");
  const id = naturalId(free.record_id, animal.record_id);
  const data = {
    exhibitor_id: animal.data["exhibitor_id"],
    animal_id: animal.record_id,
    family_id: free.record_id,
  };
  await county.office.apply([insert("entries", { ...data, catalogue_no: 901 }, id)]);
  await county.phones.priya.push([insert("entries", { ...data, catalogue_no: 910 }, id)]);
}

/**
 * Two people move the two ends of a weight range past each other.
 * @param {County} county
 */
async function crossedRange(county) {
  const [market] = await county.rows("classes", (data) => data["min_x10"] === 11_500);
  if (!market) throw new Error("there is no class of market cattle");
  await county.office.apply([update("classes", market, { min_x10: 12_000 })]);
  await county.phones.lena.push([update("classes", market, { max_x10: 11_900 })]);
}

/**
 * A weight of an animal that no phone ever sent: after many tries a person is asked.
 * @param {County} county
 */
async function parentNeverCame(county) {
  const TRIES = 20;
  const nobody = { record_id: crypto.randomUUID(), data: { tag: "4999" } };
  await county.phones.maria.push([weighing(nobody, 2_410)]);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    await county.desk.running.post("/admin/workers/process-sync-queue/run", {});
  }
}
