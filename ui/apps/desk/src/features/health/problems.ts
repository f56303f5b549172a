// How a problem is told, and what is done with it.

import type { ProblemItem, ProblemStatus } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { moment, span, type ShowText } from "../../text/format.ts";
import { words } from "../../text/words.ts";

const text = words.health.problems;

/** Under its title: `2 phones, first 9:02`, `Send entries, 9:41–9:49`. */
export function problemLine(item: ProblemItem, show: ShowText): string {
  const first = moment(item.first_seen, show);
  const isOfPhones = item.on_phones && item.phones > 0;
  const where = isOfPhones ? text.phones(item.phones) : (item.task ?? (item.on_phones ? undefined : text.laptop));
  const lasted = !isOfPhones && item.task !== undefined && first !== moment(item.last_seen, show);
  const when = lasted ? span(item.first_seen, item.last_seen, show) : text.first(first);
  return where === undefined ? when.charAt(0).toUpperCase() + when.slice(1) : `${where}, ${when}`;
}

export function isOpen(status: ProblemStatus): boolean {
  return status === "open" || status === "regressed";
}

export function statusText(status: ProblemStatus): string {
  return { open: text.isOpen, regressed: text.back, resolved: text.isSolved, ignored: text.isIgnored }[status];
}

/** Says how a problem stands, with a way back. Answers whether it was kept. */
export async function setProblem(
  desk: Desk,
  item: Pick<ProblemItem, "fingerprint" | "title" | "status">,
  status: "open" | "resolved" | "ignored",
): Promise<boolean> {
  const says = { open: text.saidOpen, resolved: text.saidSolved, ignored: text.saidIgnored }[status](item.title);
  // One that came back is open: there is nothing else to go back to.
  const before = item.status === "regressed" ? "open" : item.status;
  const undo = { label: text.undo, run: () => void put(desk, item.fingerprint, before) };
  const isKept = await put(desk, item.fingerprint, status);
  if (isKept) desk.toasts.show({ text: says, tone: "plain", action: undo });
  return isKept;
}

async function put(desk: Desk, fingerprint: string, status: "open" | "resolved" | "ignored"): Promise<boolean> {
  try {
    await desk.api.setProblem(fingerprint, status);
    return true;
  } catch (error) {
    desk.toasts.show({ text: errorText(error), tone: "bad" });
    return false;
  } finally {
    desk.live.wake("errors");
  }
}

/** Everything that helps whoever is asked for help. */
export function problemAsText(
  item: ProblemItem,
  samples: readonly { at: string; message: string; stack?: string | undefined }[],
): string {
  const newest = samples[0];
  const lines = [
    item.title,
    `${item.kind} · ${item.fingerprint}`,
    `${text.timesSaid(item.count)}, ${item.first_seen} – ${item.last_seen}`,
    ...(item.task === undefined ? [] : [item.task]),
    ...(newest === undefined ? [] : ["", newest.at, newest.message, newest.stack ?? ""]),
  ];
  return lines.join("\n").trimEnd();
}
