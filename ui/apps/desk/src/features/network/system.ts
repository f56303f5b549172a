// What this computer and a phone call themselves, as far as a browser tells. Pure.

import type { System } from "../../text/network-words.ts";
import { words } from "../../text/words.ts";

/** What the laptop runs on: the desk's page is opened on the laptop itself. */
export function systemOf(userAgent: string): System {
  if (/Windows/i.test(userAgent)) return "windows";
  if (/Macintosh|Mac OS X/i.test(userAgent) && !/iPhone|iPad/i.test(userAgent)) return "mac";
  if (/Linux|X11|CrOS/i.test(userAgent) && !/Android/i.test(userAgent)) return "linux";
  return "unknown";
}

/** `iPhone`, `Android`: what got through. */
export function agentText(agent: string): string {
  const text = words.network.agent;
  if (/iPhone/i.test(agent)) return text.iphone;
  if (/iPad/i.test(agent)) return text.ipad;
  if (/Android/i.test(agent)) return text.android;
  return systemOf(agent) === "unknown" ? text.other : text.computer;
}

/** `AB12CD34…` or `AB12 CD34 …` → groups of four. */
export function fingerprintGroups(fingerprint: string): string[] {
  return (
    fingerprint
      .replaceAll(/[^0-9a-f]/gi, "")
      .toUpperCase()
      .match(/.{1,4}/g) ?? []
  ).map(String);
}
