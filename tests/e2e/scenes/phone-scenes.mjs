// Every screen and state of the phone: how a person gets there, and what stands there then.

import { Inbox, LIGHTNING, reached, send } from "../harness/messages.mjs";
import { update } from "../harness/ops.mjs";
import { PhonePage } from "../harness/phone-page.mjs";
import { until } from "../harness/wait.mjs";
import { morning } from "./morning.mjs";
import { onPhone } from "./phone-scene.mjs";
import { disputed, heldBack } from "./phone-trouble.mjs";

/**
 * What the scenes of a phone have to do with: the show, and a phone in a browser.
 * @typedef {{ county: import("./county.mjs").County, browser: import("playwright-core").Browser, options: import("playwright-core").BrowserContextOptions }} Set
 * @typedef {import("./phone-scene.mjs").PhoneScene} PhoneScene
 */

const SCENE_MS_MAX = 10_000;
/** Whose phone the scenes follow. */
const NAME = "Nora Diaz";

/**
 * The phone of somebody who joins, and stays for the scenes that follow.
 * @param {Set} set
 * @param {string} name
 * @param {string[]} functions
 */
export async function joined({ county, browser, options }, name, functions) {
  const { url } = await county.desk.openJoining(functions);
  const phone = await PhonePage.open(browser, url, "light", {
    ...options,
    at: county.now(),
  });
  await phone.ask(name);
  await county.desk.allow(name);
  await phone.joined();
  return phone;
}

/**
 * Before a phone has joined.
 * @param {Set} set
 * @returns {PhoneScene[]}
 */
export function joining({ county, browser, options }) {
  const scan = async () => {
    const { url } = await county.desk.openJoining(["scale"]);
    return PhonePage.open(browser, url, "light", {
      ...options,
      at: county.now(),
    });
  };
  return [
    {
      name: "join-name",
      shows: "the code was scanned: who are you",
      beside: "join-name",
      open: async () => {
        const phone = await scan();
        await phone.page.getByLabel("Your name").fill("Maria Ruiz");
        return phone;
      },
    },
    {
      name: "join",
      shows: "the number that the desk compares",
      beside: "join",
      open: async () => {
        const phone = await scan();
        await phone.ask("Wes Tanaka");
        return phone;
      },
    },
    {
      name: "join-typed",
      shows: "the code typed instead of scanned",
      open: async () => {
        const phone = await PhonePage.opening(browser, `http://${county.desk.http}/`, "light", {
          ...options,
          at: county.now(),
        });
        await phone.page.getByRole("button", { name: "Type the code instead" }).click();
        const keys = phone.page.getByRole("region", {
          name: "Letters and digits",
        });
        for (const sign of "7KQM4") await keys.getByRole("button", { name: sign, exact: true }).click();
        return phone;
      },
    },
    {
      name: "join-used",
      shows: "the code no longer works",
      open: async () => {
        const { url } = await county.desk.running.post("/admin/pairings", {
          functions: ["scale"],
          mode: "single",
        });
        const first = await PhonePage.open(browser, url, "light", options);
        await first.ask("Ada One");
        await first.close();
        const phone = await PhonePage.open(browser, url, "light", options);
        await phone.page.getByLabel("Your name").fill("Ben Two");
        await phone.page.getByRole("button", { name: "Join the show" }).click();
        await phone.page.getByText("This code no longer works").waitFor();
        return phone;
      },
    },
    {
      name: "join-no-storage",
      shows: "a browser that keeps nothing, such as a private one",
      open: async () => {
        const phone = await scan();
        await phone.page.addInitScript(() => Object.defineProperty(globalThis, "indexedDB", { value: undefined }));
        await phone.page.reload();
        await phone.page.getByText("This browser keeps nothing").waitFor();
        return phone;
      },
    },
    {
      name: "join-away",
      shows: "the laptop cannot be reached",
      open: async () => {
        const phone = await scan();
        await phone.cut();
        await phone.page.getByLabel("Your name").fill("Ben Two");
        await phone.page.getByRole("button", { name: "Join the show" }).click();
        await phone.page.getByText("Can't reach the laptop").waitFor();
        return phone;
      },
    },
  ];
}

/**
 * At the barn door and at the scale. The scenes follow one another on one phone.
 * @param {Set} set
 * @param {PhonePage} phone
 * @param {{ coming: any[], hogs: any[], renamed: { old: string, tag: string } }} animals
 * @returns {PhoneScene[]}
 */
export function working(set, phone, { coming, hogs, renamed }) {
  const page = phone.page;
  const [first, second] = coming;
  const [hog, next, odd] = hogs;
  const scene = onPhone(phone);
  return [
    scene("work-new", "the jobs of this phone, before its first entry", undefined, () => phone.show("work")),
    scene("find", "found by part of a number", undefined, async () => {
      await phone.show("check-in");
      await phone.tapDigits(first.tag.slice(0, 2));
      await page.getByRole("listitem").first().waitFor();
    }),
    scene("find-old-tag", "found by the tag it had before", undefined, async () => {
      await page.getByLabel("Find by any number").fill(renamed.old);
      await page.getByText(new RegExp(renamed.tag)).first().waitFor();
    }),
    scene("find-nothing", "no animal has the number", undefined, async () => {
      await page.getByLabel("Find by any number").fill("98765");
      await page.getByText("No animal with that number").first().waitFor();
    }),
    scene("check-in", "an animal that arrives", "check-in", async () => {
      await phone.show("work");
      await phone.show("check-in");
      await phone.find(first.tag);
    }),
    scene("check-in-done", "checked in, undo, and the next number", "check-in-done", async () => {
      await phone.checkInHere(first.tag);
      await phone.says("All sent");
    }),
    scene("check-in-again", "it was checked in before", undefined, async () => {
      await phone.find(first.tag);
      await page.getByText(/^Already checked in/).waitFor();
    }),
    scene("fix-tag", "the ear says another number", undefined, async () => {
      await phone.show("check-in");
      await phone.find(second.tag);
      await page.getByRole("button", { name: "Fix tag" }).click();
      await page.getByLabel("New tag").fill("7731");
    }),
    scene("fix-tag-taken", "another animal has that number", undefined, async () => {
      await page.getByLabel("New tag").fill(first.tag);
      await page.getByText(`${first.tag} is already on another animal`).waitFor();
    }),
    scene("weigh-in", "a weight typed on our own keys", "weigh-in", async () => {
      await phone.show("weigh-in");
      await phone.find(hog.tag);
      await phone.tapDigits(264);
    }),
    scene("weigh-in-saved", "saved, undo, and the next number", undefined, async () => {
      await page.getByRole("button", { name: "Save & next" }).click();
      await page.getByText("264 lb saved").first().waitFor();
      await phone.says("All sent");
    }),
    scene("weigh-in-outlier", "a weight that is asked about", "weigh-in-outlier", async () => {
      await phone.find(odd.tag);
      await phone.tapDigits(624);
      await page.getByRole("button", { name: "Save & next" }).click();
      await page.getByText("Is this weight right?").waitFor();
    }),
    scene("weigh-in-again", "weighed before: saving makes a re-weigh", undefined, async () => {
      await page.getByRole("button", { name: "Type it again" }).click();
      await phone.show("weigh-in");
      await phone.find(hog.tag);
      await page
        .getByText(/^Weighed before/)
        .first()
        .waitFor();
    }),
    scene("work", "the jobs, how far they are, and the last entries", "work", async () => {
      await phone.weigh(next.tag, 251);
      await phone.says("All sent");
      await phone.show("work");
    }),
    scene("waiting-none", "nothing waits", undefined, () => phone.show("waiting")),
    scene("more", "how the page looks, sound, who this is", "more", async () => {
      await phone.show("more");
      await page.getByText("Sun mode").first().waitFor();
    }),
    scene("field-ready", "the first step to a phone that opens without Wi-Fi", undefined, async () => {
      await page.getByText("Its number must start with").scrollIntoViewIfNeeded();
    }),
    scene("field-ready-on", "the certificate is there, and not yet switched on", undefined, async () => {
      const download = page.waitForEvent("download");
      await page.getByRole("link", { name: "Download" }).click();
      await (await download).cancel();
      await page.getByText("Switch it on in Settings").scrollIntoViewIfNeeded();
    }),
    scene("field-ready-how", "where the phone's own switch is", undefined, async () => {
      await page.getByRole("button", { name: "Show me how" }).click();
      await page.getByRole("dialog").waitFor();
    }),
    scene("field-ready-not-on", "installed, but not switched on: what is missing", undefined, async () => {
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "It didn't work" }).click();
      await page.getByText("Installed, but not switched on").waitFor();
    }),
    scene("work-away", "away from the laptop: entries are kept", "work-away", async () => {
      await page.keyboard.press("Escape");
      await phone.cut();
      await phone.checkIn(second.tag);
      await phone.weigh(odd.tag, 266);
      await phone.says("2 kept");
      await phone.show("work");
    }),
    scene("waiting", "what waits, and how to hand it over", "waiting", () => phone.show("waiting")),
    scene("waiting-codes", "the entries as codes for the desk", undefined, async () => {
      await page.getByRole("button", { name: "Show QR" }).click();
      await page.getByRole("img", { name: /^Code 1 of/ }).waitFor();
    }),
    scene("leave", "leaving the show: finish sending first", undefined, async () => {
      await page.keyboard.press("Escape");
      await phone.show("more");
      await page.getByRole("button", { name: /^Leave/ }).click();
    }),
    scene("removed", "the desk has removed this phone: what is on it can still be handed over", undefined, async () => {
      await page.keyboard.press("Escape");
      await set.county.removePhone(NAME);
      await phone.uncut();
      await phone.says("2 to hand over");
      await phone.show("work");
      await page.getByRole("main").getByText("This phone was removed", { exact: true }).waitFor();
    }),
    scene("removed-hand-over", "a removed phone hands over its entries", undefined, async () => {
      await page.getByRole("button", { name: /^Hand over \d/ }).click();
      await page.getByRole("heading", { name: "Hand over your entries" }).waitFor();
    }),
  ];
}

/** News of a morning, oldest first. What must be confirmed comes last. */
const READ = [
  {
    type: "results",
    title: "Class 13 is official",
    body: "1st 188, 2nd 152, 3rd 126.",
  },
  {
    type: "schedule",
    title: "Lunch break at 12:00",
    body: "Both rings. Show starts again at 1:00.",
  },
];
const UNREAD = [
  {
    type: "class_call",
    title: "Class 15 is next",
    body: "Market hogs 268 to 289 lb to make-ready, Ring 1. First call.",
  },
  {
    type: "ring_change",
    title: "Class 16 moved to Ring 2",
    body: "Breeding gilts, 10:10. Ring 1 is running late.",
  },
];
const CLOSES = {
  type: "weigh_closing",
  title: "Steer weigh-in closes at 11:30",
  body: "117 head are not weighed yet. Tell people in barn C to line up now.",
  priority: "high",
};

/**
 * The phone of an announcer: messages, read and written. The scenes follow one another.
 * @param {Set} set
 * @param {PhonePage} phone
 * @returns {PhoneScene[]}
 */
export function announcing({ county }, phone) {
  const { page } = phone;
  const inbox = new Inbox(phone);
  const toAnnouncers = { audience: { functions: ["announcer"] } };
  const tell = (/** @type {Record<string, unknown>} */ message) => send(county.desk, { ...message, ...toAnnouncers });
  const scene = onPhone(phone);
  return [
    scene("messages-none", "before the desk has told anything", undefined, async () => {
      await inbox.open();
      await page.getByText(/^No messages yet/).waitFor();
    }),
    scene("messages-missed", "what was over before it came", undefined, async () => {
      // Its page is closed: a stream that is open may outlive a Wi-Fi that is cut.
      const address = page.url();
      await page.goto("about:blank");
      const overMs = county.now().getTime() + 1_500;
      await tell({ ...UNREAD[0], expires_at: new Date(overMs).toISOString() });
      // The page's own clock stands still: it learns the desk's time to within two seconds.
      await until("its time is over", () => county.now().getTime() > overMs + 3_000);
      await page.goto(address);
      await page.getByText("1 missed").click();
    }),
    scene("messages", "new ones first, and one to confirm", "messages", async () => {
      for (const message of READ) {
        const { id } = await tell(message);
        await reached(county.desk, id, "seen", 1);
      }
      await phone.show("work");
      for (const message of [...UNREAD, CLOSES]) await tell(message);
      await page.getByRole("link", { name: /^Important/ }).waitFor();
      await inbox.open();
      await page.getByRole("heading", { name: "2 new" }).waitFor();
    }),
    scene("messages-strip", "what must be confirmed is said on every screen", undefined, async () => {
      await phone.show("work");
      await page.getByRole("link", { name: /^Important/ }).waitFor();
    }),
    scene("messages-away", "confirmed away from the laptop: not sent yet", undefined, async () => {
      await phone.cut();
      await inbox.open();
      await page.getByRole("button", { name: "Confirm" }).click();
      await page.getByText("You confirmed. Not sent yet").waitFor();
    }),
    scene("emergency", "an emergency over everything", "emergency", async () => {
      await phone.uncut();
      await phone.says("All sent");
      const { id } = await tell(LIGHTNING);
      await inbox.alarm(LIGHTNING.title).waitFor();
      await reached(county.desk, id, "seen", 1);
      await page.getByRole("button", { name: "I have seen this", disabled: false }).waitFor();
    }),
    scene("message-new", "a message from a phone", undefined, async () => {
      await inbox.answerAlarm();
      await phone.show("messages");
      await page.getByRole("button", { name: "New message" }).click();
      await page.getByRole("button", { name: "Ring is late" }).click();
      await page.getByRole("button", { name: "Ring", exact: true }).click();
    }),
    scene("message-sure", "an emergency from a phone is asked about once more", undefined, async () => {
      await page.getByRole("button", { name: "Lightning" }).click();
      await page.getByRole("button", { name: "Everybody" }).click();
      await page.getByRole("button", { name: "Send emergency" }).click();
      await page.getByText("Send an emergency?").waitFor();
    }),
    scene("message-sent", "what this phone has sent", undefined, async () => {
      await page.getByRole("button", { name: "Change it" }).click();
      await page.getByRole("button", { name: "Lunch break" }).click();
      await page.getByRole("button", { name: "Send message" }).click();
      await page.getByText("You sent").waitFor();
      await phone.says("All sent");
    }),
  ];
}

/**
 * Plays the phone's scenes one after the other in the county show.
 * @param {import("playwright-core").Browser} browser
 * @param {import("playwright-core").BrowserContextOptions} options
 * @param {RegExp} only scenes to tell of; all are played
 * @param {(scene: PhoneScene, page: import("playwright-core").Page) => Promise<void>} tell
 */
export async function phoneScenes(browser, options, only, tell) {
  const { county } = await morning();
  try {
    const set = { county, browser, options };
    /** @type {string[]} */
    const missed = [];
    for (const scene of joining(set)) {
      const phone = await scene.open();
      if (only.test(scene.name)) await tell(scene, phone.page);
      await phone.close();
    }
    /** @type {(name: string, functions: string[], scenes: (phone: PhonePage) => PhoneScene[]) => Promise<void>} */
    const play = async (name, functions, scenes) => {
      const phone = await joined(set, name, functions);
      phone.page.setDefaultTimeout(SCENE_MS_MAX);
      for (const scene of scenes(phone)) {
        // What does not come is told of at the end; its picture shows what came instead.
        await scene.open().catch((error) => missed.push(`${scene.name}: ${error.message}`));
        if (only.test(scene.name)) await tell(scene, phone.page);
      }
      await phone.close();
    };
    const animals = await animalsFor(county);
    const crew = ["checkin", "scale", "superintendent"];
    await play(NAME, crew, (phone) => working(set, phone, animals));
    const { coming, hogs } = animals;
    await play("Ida Vale", crew, (phone) => [
      ...disputed(county, phone, hogs.slice(3, 6)),
      ...heldBack(county, phone, { coming: coming.slice(2, 5), hogs: hogs.slice(6, 7) }),
    ]);
    await play("Ingrid Moe", ["announcer"], (phone) => announcing(set, phone));
    if (missed.length > 0) throw new Error(missed.join("\n"));
  } finally {
    await county.close();
  }
}

/**
 * Animals that wait for check-in and for the scale, and one whose tag was corrected.
 * @param {import("./county.mjs").County} county
 */
async function animalsFor(county) {
  const coming = await county.rows("animals", (data) => data["arrived_at"] === null && data["species"] === "cattle");
  const isHog = (/** @type {Record<string, any>} */ data) => data["species"] === "swine" && data["arrived_at"] !== null;
  const hogs = await county.rows("animals", (data) => isHog(data) && data["official_weight_x10"] === null);
  const [lamb] = await county.rows("animals", (data) => data["species"] === "sheep");
  if (!lamb) throw new Error("there is no lamb");
  const old = String(lamb.data["tag"]);
  await county.office.apply([update("animals", lamb, { tag: `${old}5` })]);
  const plain = (/** @type {import("../harness/ops.mjs").Row} */ row) => ({ ...row, tag: String(row.data["tag"]) });
  return {
    coming: coming.map(plain),
    hogs: hogs.map(plain),
    renamed: { old, tag: `${old}5` },
  };
}
