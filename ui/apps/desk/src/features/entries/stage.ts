// How far an animal is, as one word with one icon.

import Award from "@lucide/svelte/icons/award";
import Check from "@lucide/svelte/icons/check";
import CircleSlash from "@lucide/svelte/icons/circle-slash";
import Clock from "@lucide/svelte/icons/clock";
import Fence from "@lucide/svelte/icons/fence";
import Merge from "@lucide/svelte/icons/merge";
import Ruler from "@lucide/svelte/icons/ruler";
import type { Component } from "svelte";

import type { EntryRow } from "../../data/desk-api.ts";
import { words } from "../../text/words.ts";

export interface StageText {
  label: string;
  /** The class of the words, and of the icon. */
  tone: string;
  iconTone: string;
  Icon: Component;
}

type Stage = keyof typeof words.entries.stages;

const ICONS: Readonly<Record<Stage, readonly [Component, string, string]>> = {
  not_arrived: [Clock, "quiet", "quiet"],
  checked_in: [Fence, "", "quiet"],
  weighed: [Check, "", "is-ok"],
  in_ring: [Award, "", "is-desk"],
  judged: [Award, "", "is-ok"],
  out: [CircleSlash, "quiet", "quiet"],
  out_of_range: [Ruler, "is-warn", "is-warn"],
};

/** What is being checked goes before how far it is: until it is decided the rest is not certain. */
export function stageText(row: EntryRow): StageText {
  if (row.disputed) return { label: words.entries.beingChecked, tone: "is-warn", iconTone: "is-warn", Icon: Merge };
  const stage = stageOf(row);
  const [Icon, tone, iconTone] = ICONS[stage];
  return { label: words.entries.stages[stage], tone, iconTone, Icon };
}

function stageOf(row: EntryRow): Stage {
  return isStage(row.stage) ? row.stage : "not_arrived";
}

function isStage(text: string): text is Stage {
  return Object.hasOwn(ICONS, text);
}
