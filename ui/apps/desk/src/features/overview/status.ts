// The first lines of the overview: how the show stands, and what wants a look and by when.

import type { AlertRule, Overview } from "../../data/desk-api.ts";
import { duration, moment, type ShowText } from "../../text/format.ts";
import { words } from "../../text/words.ts";
import { ruleAddress } from "../health/address.ts";
import { headlineOf, namesOf, needsYou } from "../health/rules.ts";

export interface Status {
  title: string;
  /** Nothing was refused, and no alert fires: a phone that is away is normal, and so is an entry to decide. */
  calm: boolean;
  line: string;
  link: { text: string; href: string } | undefined;
}

export function statusOf(
  overview: Overview,
  phones: number,
  show: ShowText,
  alerts: readonly AlertRule[] = [],
): Status {
  const text = words.overview;
  const { needs_attention: refused, phones_connected: connected, phones_away: away } = overview;
  const title = phones === 0 ? text.ready : text.good(connected, away);
  if (refused > 0) {
    const link = { text: text.look, href: "#/needs-checking?show=attention" };
    return { title: text.notAccepted(refused), calm: false, line: text.lookNow, link };
  }
  const firing = needsYou(alerts, show.now).filter(({ rule }) => rule.severity !== "notice");
  const [worst] = firing;
  if (worst !== undefined) return needed(worst, firing.length, show);
  return { title, calm: true, ...secondLine(overview, show) };
}

/** What needs somebody: the worst of it by name. */
function needed(worst: AlertRule, count: number, show: ShowText): Status {
  const text = words.overview;
  const since = worst.firing[0]?.since;
  const lasted = since === undefined ? undefined : duration(show.now - Date.parse(since));
  const link = { text: text.lookAt, href: count === 1 ? ruleAddress(worst.rule.id) : "#/health" };
  return {
    title: text.needsYou(count, headlineOf(worst)),
    calm: false,
    line: text.lasts(namesOf(worst), lasted),
    link,
  };
}

function secondLine(overview: Overview, show: ShowText): Pick<Status, "line" | "link"> {
  const text = words.overview;
  if (overview.needs_checking > 0) {
    const link = { text: text.checkNow, href: "#/needs-checking" };
    const parts = [text.needChecking(overview.needs_checking), firstClass(overview.first_class_at, show)];
    return { line: parts.filter((part) => part !== "").join(" "), link };
  }
  if (overview.entries === 0 && overview.animals === 0) {
    return { line: text.emptyShow, link: { text: text.import, href: "#/import" } };
  }
  const waiting = overview.waiting_on_phones;
  return {
    line: waiting > 0 ? text.waitingOnPhones(waiting, overview.unsent_phones) : text.noneChecking(overview.entries),
    link: undefined,
  };
}

function firstClass(at: string | undefined, show: ShowText): string {
  if (at === undefined) return "";
  const time = moment(at, show);
  return Date.parse(at) >= show.now ? words.overview.firstClass(time) : words.overview.firstClassBegan(time);
}

/** Under the number of what needs checking: `First class in 31 min`. */
export function checkingNote(overview: Overview, show: ShowText): string {
  const text = words.overview;
  if (overview.needs_checking === 0) return text.nothingToCheck;
  if (overview.first_class_at === undefined) return text.decideNow;
  const left = Date.parse(overview.first_class_at) - show.now;
  return left >= 0 ? text.classIn(duration(left)) : text.classBegan(duration(left));
}

/** Under the number of what waits on phones: `On 2 phones, oldest 29 min`. */
export function waitingNote(overview: Overview, show: ShowText): string {
  if (overview.waiting_on_phones === 0) return words.overview.noneWaiting;
  const since = overview.oldest_unsent_at;
  const oldest = since === undefined ? undefined : duration(show.now - Date.parse(since));
  return words.overview.onPhones(overview.unsent_phones, oldest);
}
