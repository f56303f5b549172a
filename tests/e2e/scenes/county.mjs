// The county show on its second morning, made over HTTP by phones without a screen: connected, slow and away phones,
// entries that wait, clashes of every kind, entries that were not accepted, decisions and joined fields.
//
// It is Friday. Whoever makes the show says what time it is, and the desk's clock follows.

import { Desk } from "../harness/desk.mjs";
import { having, insert, update, weighing } from "../harness/ops.mjs";

/**
 * @typedef {import("../harness/ops.mjs").Row} Row
 * @typedef {import("../harness/scripted-phone.mjs").ScriptedPhone} ScriptedPhone
 * @typedef {{ [name in (typeof PEOPLE)[number]["key"]]: ScriptedPhone }} Phones
 */

export const TIME_ZONE = "America/Chicago";
const FRIDAY = "2037-07-17";

/** Who has a phone, what it is for, and when it joined. */
export const PEOPLE = /** @type {const} */ ([
  {
    key: "maria",
    name: "Maria Ruiz",
    functions: ["scale"],
    platform: "ios",
    joins: "07:50",
  },
  {
    key: "sam",
    name: "Sam Lee",
    functions: ["gate", "checkin"],
    platform: "android",
    joins: "07:51",
  },
  {
    key: "grace",
    name: "Grace Okafor",
    functions: ["announcer"],
    platform: "android",
    joins: "07:52",
  },
  {
    key: "priya",
    name: "Priya Nair",
    functions: ["clerk", "admin"],
    platform: "ios",
    joins: "07:53",
  },
  {
    key: "tom",
    name: "Tom Becker",
    functions: ["clerk"],
    platform: "android",
    joins: "07:54",
  },
  {
    key: "ana",
    name: "Ana Torres",
    functions: ["checkin"],
    platform: "ios",
    joins: "07:55",
  },
  {
    key: "joel",
    name: "Joel Whitfield",
    functions: ["superintendent"],
    platform: "android",
    joins: "07:56",
  },
  {
    key: "lena",
    name: "Lena Fischer",
    functions: ["superintendent"],
    platform: "ios",
    joins: "07:57",
  },
  {
    key: "hale",
    name: "Dr. Ruth Hale",
    functions: ["vet"],
    platform: "ios",
    joins: "09:14",
  },
]);

/**
 * A moment of that Friday at the show.
 * @param {string} time hours and minutes there
 */
export const friday = (time) => new Date(`${FRIDAY}T${time}:00-05:00`);

/** The show, its phones, and the hands that make things happen in it. */
export class County {
  /** @type {Partial<Phones>} */
  #phones = {};
  /** @type {Set<string>} */
  #away = new Set();
  /** @type {Set<string>} */
  #weak = new Set();
  #steps = 0;

  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.office = desk.office;
    this.office.clock = () => this.now();
  }

  /** Opens the show as it was on Thursday evening, on Friday before anybody is there. */
  static async open() {
    const desk = await Desk.open({
      demo: "county",
      at: new Date("2037-07-16T18:30:30-05:00"),
      timeZone: TIME_ZONE,
      limits: "off",
      https: true,
    });
    const county = new County(desk);
    await county.at("07:45");
    const [show] = await county.rows("shows");
    if (!show) throw new Error("there is no show");
    await county.office.apply([update("shows", show, { timezone: TIME_ZONE })]);
    return county;
  }

  now() {
    return this.desk.clock?.now() ?? new Date();
  }

  /**
   * Nobody is heard until then: pages are closed.
   * @param {string} time
   */
  quietUntil(time) {
    this.desk.clock?.set(friday(time));
  }

  /** The phones that have joined. */
  get phones() {
    return /** @type {Phones} */ (this.#phones);
  }

  /**
   * @param {keyof Phones} key
   */
  async join(key) {
    const person = PEOPLE.find((one) => one.key === key);
    if (!person) throw new Error(`nobody is called ${key}`);
    await this.at(person.joins);
    const phone = await this.desk.phone(person.name, [...person.functions], person.platform);
    phone.clock = () => this.now();
    this.#phones[key] = phone;
    await phone.beat();
  }

  /**
   * From here on the phone is not heard, or its answers take long in some minutes.
   * @param {keyof Phones} key
   * @param {"away" | "weak" | "near"} how
   */
  reach(key, how) {
    this.#away.delete(key);
    this.#weak.delete(key);
    if (how === "away") this.#away.add(key);
    if (how === "weak") this.#weak.add(key);
  }

  /**
   * Lets the morning go on until then, with every phone that is near asking the desk as its page does.
   * @param {string} time
   */
  async at(time) {
    const STEP_MS = 30_000;
    const WEAK_EVERY = 7;
    const then = friday(time);
    while (this.now() < then) {
      const left = then.getTime() - this.now().getTime();
      const near = Object.entries(this.phones).filter(([key]) => !this.#away.has(key));
      this.desk.clock?.set(new Date(then.getTime() - (near.length === 0 ? 0 : Math.max(left - STEP_MS, 0))));
      this.#steps += 1;
      const isWeak = (/** @type {string} */ key) => this.#weak.has(key) && this.#steps % WEAK_EVERY === 0;
      await Promise.all(near.map(([key, phone]) => phone.beat({ tookMs: isWeak(key) ? 1_900 : 20 })));
    }
  }

  /**
   * Rows by a property of their data, in the order of their tags.
   * @param {string} table
   * @param {(data: Record<string, any>) => boolean} [wanted]
   * @returns {Promise<Row[]>}
   */
  async rows(table, wanted = () => true) {
    const rows = await this.office.rows(table);
    const key = (/** @type {Row} */ row) => String(row.data["tag"] ?? row.data["code"] ?? row.record_id);
    return rows
      .filter((row) => wanted(row.data))
      .toSorted((one, other) => key(one).localeCompare(key(other), "en", { numeric: true }));
  }

  /**
   * The newest state of a row.
   * @param {string} table
   * @param {Row} row
   * @returns {Promise<Row>}
   */
  async fresh(table, row) {
    const found = (await this.office.rows(table)).find((one) => one.record_id === row.record_id);
    if (!found) throw new Error(`${table} ${row.record_id} is gone`);
    return found;
  }

  /**
   * Animals of a class that is judged after the time, weighed on Thursday, each with its weigh-in.
   * @param {string} after
   * @param {(data: Record<string, any>) => boolean} wanted
   * @returns {Promise<{ animal: Row, weighIn: Row, entry: Row, class: Row }[]>}
   */
  async weighed(after, wanted) {
    const [animals, weighIns, entries, classes] = await Promise.all([
      this.rows("animals", wanted),
      this.rows("weigh_ins"),
      this.rows("entries"),
      this.rows("classes"),
    ]);
    const found = animals.flatMap((animal) => {
      const weighIn = weighIns.find((row) => row.data["animal_id"] === animal.record_id);
      const entry = entries.find((row) => row.data["animal_id"] === animal.record_id);
      const shown = classes.find((row) => row.record_id === entry?.data["family_id"]);
      return weighIn && entry && shown ? [{ animal, weighIn, entry, class: shown }] : [];
    });
    return found
      .filter((one) => String(one.class.data["planned_at"]) > friday(after).toISOString())
      .toSorted((one, other) => one.class.data["planned_at"].localeCompare(other.class.data["planned_at"]));
  }

  /**
   * A second weight that says which one it replaces.
   * @param {{ animal: Row, weighIn: Row }} of
   * @param {number} moreX10 than the weight it replaces
   */
  reweigh({ animal, weighIn }, moreX10) {
    return weighing(animal, weighIn.data["weight_x10"] + moreX10, {
      kind: "reweigh",
      replaces_id: weighIn.record_id,
      weighed_at: this.now().toISOString(),
    });
  }

  /**
   * Moves the show to another stage, with the reason that going back needs.
   * @param {string} stage
   * @param {string} reason
   */
  async stage(stage, reason) {
    const [show] = await this.rows("shows");
    if (!show) throw new Error("there is no show");
    await this.office.apply([having(update("shows", show, { stage }), { reason })]);
  }

  /**
   * Clashes of a status.
   * @param {string} [status]
   * @returns {Promise<any[]>}
   */
  async clashes(status = "open") {
    const PAGES_MAX = 20;
    const found = [];
    let cursor = "";
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await this.desk.running.get(`/admin/conflicts?status=${status}${cursor && `&cursor=${cursor}`}`);
      found.push(...answer.items);
      if (!answer.cursor) return found;
      cursor = answer.cursor;
    }
    throw new Error(`more than ${PAGES_MAX} pages of clashes`);
  }

  /**
   * Decides a clash at the desk.
   * @param {any} clash
   * @param {"client_wins" | "server_wins"} resolution
   * @param {string} reason
   */
  async decide(clash, resolution, reason) {
    const seen = await this.desk.running.get(`/admin/conflicts/${clash.id}`);
    return this.desk.running.post(`/admin/conflicts/${clash.id}/resolve`, {
      resolution,
      expected_server_version: seen.server_version,
      rev: seen.rev,
      reason,
      idempotency_key: crypto.randomUUID(),
    });
  }

  /**
   * Takes a phone's access away.
   * @param {string} person
   */
  async removePhone(person) {
    const { items } = await this.desk.running.get("/admin/devices");
    const device = items.find((/** @type {any} */ one) => one.user.name === person);
    await this.desk.running.post(`/admin/devices/${device.id}/revoke`, {});
  }

  async close() {
    await this.desk.close();
  }
}

/**
 * Rows that share a value, in the order of their first.
 * @param {Row[]} rows
 * @param {string} field
 * @returns {[string, Row[]][]}
 */
export function grouped(rows, field) {
  const groups = new Map();
  for (const row of rows) groups.set(row.data[field], [...(groups.get(row.data[field]) ?? []), row]);
  return [...groups.entries()];
}

/**
 * A call of a class to its ring.
 * @param {Row} one
 * @param {"make_ready" | "in_ring" | "judged" | "up_next" | "call_1"} kind
 * @param {Date} at
 */
export function call(one, kind, at) {
  return insert("class_calls", {
    class_id: one.record_id,
    ring_id: one.data["ring_id"],
    kind,
    at: at.toISOString(),
  });
}
