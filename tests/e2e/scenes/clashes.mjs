// Clashes for tests that are about deciding: a phone without a screen and the laptop say different things.

import { update, weighing } from "../harness/ops.mjs";
import { until } from "../harness/wait.mjs";

/**
 * @typedef {import("../harness/stand.mjs").Stand} Stand
 * @typedef {import("../harness/scripted-phone.mjs").ScriptedPhone} ScriptedPhone
 * @typedef {import("../harness/ops.mjs").Row} Row
 */

/**
 * An animal's row.
 * @param {Stand} here
 * @param {any} animal
 * @returns {Promise<Row>}
 */
export async function rowOf(here, animal) {
  const rows = await here.desk.office.rows("animals");
  const row = rows.find(({ record_id }) => record_id === animal.animal_id);
  if (!row) throw new Error(`${animal.tag} is gone`);
  return row;
}

/**
 * The phone and the laptop give an animal different tags. Answers the clash.
 * @param {Stand} here
 * @param {ScriptedPhone} phone
 * @param {any} animal
 * @param {{ phone: string, laptop: string }} tags
 */
export async function twoTags(here, phone, animal, tags) {
  const row = await rowOf(here, animal);
  await here.desk.office.apply([update("animals", row, { tag: tags.laptop })]);
  const [result] = await phone.push([update("animals", row, { tag: tags.phone })]);
  if (result.verdict !== "conflict") throw new Error(JSON.stringify(result));
  return clash(here, result.conflict_id);
}

/**
 * The phone and the laptop weigh the same animal. Answers the clash.
 * @param {Stand} here
 * @param {ScriptedPhone} phone
 * @param {any} animal
 * @param {{ phone: number, laptop: number }} weightsX10
 */
export async function twoWeights(here, phone, animal, weightsX10) {
  const row = await rowOf(here, animal);
  await here.desk.office.apply([weighing(row, weightsX10.laptop)]);
  await phone.apply([weighing(row, weightsX10.phone)]);
  return until("the two weights are a clash", async () => {
    const { items } = await here.desk.running.get("/admin/conflicts?status=open");
    return items.find((/** @type {any} */ one) => one.record_id === animal.animal_id);
  });
}

/**
 * A clash as the desk has it now.
 * @param {Stand} here
 * @param {string} id
 * @returns {Promise<any>}
 */
export const clash = (here, id) => here.desk.running.get(`/admin/conflicts/${id}`);

/**
 * Waits until the desk has decided a clash, or has it open again.
 * @param {Stand} here
 * @param {{ id: string }} one
 * @param {string} status
 */
export const becomes = (here, one, status) =>
  until(`the clash is ${status}`, async () => {
    const now = await clash(here, one.id);
    return now.status === status ? now : null;
  });

/**
 * Decides a clash at the desk's API, as another person would.
 * @param {Stand} here
 * @param {{ id: string }} one
 * @param {"client_wins" | "server_wins"} resolution
 */
export async function decide(here, one, resolution) {
  const seen = await clash(here, one.id);
  await here.desk.running.post(`/admin/conflicts/${one.id}/resolve`, {
    resolution,
    expected_server_version: seen.server_version,
    rev: seen.rev,
    reason: "Read at the chute",
    idempotency_key: crypto.randomUUID(),
  });
}

/**
 * Leaves nothing to decide for the next test.
 * @param {Stand} here
 */
export async function decideTheRest(here) {
  const { items } = await here.desk.running.get("/admin/conflicts?status=open");
  for (const one of items) await decide(here, one, "server_wins");
}
