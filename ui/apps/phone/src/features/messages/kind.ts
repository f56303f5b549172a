// What a message is about, as a picture; and where it leads on a phone.

import ArrowRightLeft from "@lucide/svelte/icons/arrow-right-left";
import Award from "@lucide/svelte/icons/award";
import Calendar from "@lucide/svelte/icons/calendar";
import ClipboardList from "@lucide/svelte/icons/clipboard-list";
import Flag from "@lucide/svelte/icons/flag";
import Megaphone from "@lucide/svelte/icons/megaphone";
import MessageSquare from "@lucide/svelte/icons/message-square";
import Smartphone from "@lucide/svelte/icons/smartphone";
import Truck from "@lucide/svelte/icons/truck";
import UserRound from "@lucide/svelte/icons/user-round";
import Zap from "@lucide/svelte/icons/zap";
import type { Component } from "svelte";

import ScaleIcon from "../../parts/ScaleIcon.svelte";
import { hashOf, parseRoute } from "../../router.svelte.ts";

type Icon = Component<{ size: number; "aria-hidden"?: "true" }>;

const ICONS: Readonly<Record<string, Icon>> = {
  class_call: Megaphone,
  up_next: Megaphone,
  drive_call: Megaphone,
  ring_change: ArrowRightLeft,
  schedule: Calendar,
  weigh_closing: ScaleIcon,
  classes_posted: ClipboardList,
  see_super: UserRound,
  weather: Zap,
  results: Award,
  sale: Truck,
  release: Truck,
  conflict: Flag,
  sync: Smartphone,
};

/** The picture of a type; a type that this page does not know is a message like others. */
export function iconOf(type: string): Icon {
  return ICONS[type] ?? MessageSquare;
}

/** Screens that a message may lead to. */
const LEADS_TO = new Set(["work", "checks", "waiting", "check-in", "weigh-in"]);

/** The address on this page; nothing if a phone has no such screen. */
export function leadsTo(open: string | null): string | undefined {
  const name = /^#\/([a-z-]+)/.exec(open ?? "")?.[1] ?? "";
  return LEADS_TO.has(name) ? hashOf(parseRoute(open ?? "")) : undefined;
}
