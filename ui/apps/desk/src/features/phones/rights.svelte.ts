// The switches of one phone's person: what is on, why, and what is being saved. Each is saved by itself, one after the other.

import type { Device, PermissionItem, Permissions } from "../../data/desk-api.ts";
import type { Desk } from "../../data/desk.svelte.ts";
import { errorText } from "../../data/error-text.ts";
import { firstName } from "../../text/conflict-words.ts";
import { words } from "../../text/words.ts";
import { isViewer } from "./list.ts";

export interface Right {
  key: string;
  label: string;
  isOn: boolean;
  /** Whether a job of this person brings it. */
  byJob: boolean;
  /** Whether somebody at the desk has set it by hand. */
  byHand: boolean;
}

/** Asked for so often that they are shown whether on or off. */
const ALWAYS_SHOWN: readonly string[] = ["fix_tags", "messages", "see_contacts"];

/** Switched on, or off: the other list forgets it, and what the jobs say by themselves needs no entry. */
export function switched(now: Permissions, key: string, isOn: boolean, byJob: boolean): Permissions {
  const without = (keys: readonly string[]) => keys.filter((other) => other !== key);
  const granted = without(now.granted);
  const withheld = without(now.withheld);
  if (isOn && !byJob) return { granted: [...granted, key], withheld };
  if (!isOn && byJob) return { granted, withheld: [...withheld, key] };
  return { granted, withheld };
}

/** The switches of a person, in the desk's order. */
export function rightsOf(
  device: Pick<Device, "functions" | "effective">,
  permissions: Permissions,
  items: readonly PermissionItem[],
): Right[] {
  const isOffice = device.functions.includes("admin");
  const isLooking = isViewer(device.functions);
  return items.map(({ key, functions }) => {
    const byJob = functions.some((job) => device.functions.includes(job));
    const [granted, withheld] = [permissions.granted.includes(key), permissions.withheld.includes(key)];
    return {
      key,
      label: words.people.drawer.may_[key] ?? words.people.drawer.mayUnknown(key),
      isOn: isOffice || (!isLooking && !withheld && (byJob || granted)),
      byJob,
      byHand: (granted && !byJob) || (withheld && byJob),
    };
  });
}

/** Those that say something about this person; the rest is one press away. */
export function firstShown(rights: readonly Right[]): Right[] {
  return rights.filter((right) => right.isOn || right.byJob || right.byHand || ALWAYS_SHOWN.includes(right.key));
}

export class Rights {
  readonly #desk: Desk;
  readonly #device: () => Device;
  /** What was asked for and is not yet on the page. */
  #wanted = $state.raw<Permissions | undefined>(undefined);
  #running = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(desk: Desk, device: () => Device) {
    this.#desk = desk;
    this.#device = device;
  }

  readonly permissions: Permissions = $derived.by(() => this.#wanted ?? this.#device().permissions);

  /** Turns a switch; it stands where it was put at once, and goes back if the desk says no. */
  turn(right: Pick<Right, "key" | "label" | "byJob">, isOn: boolean): Promise<void> {
    const device = this.#device();
    this.#wanted = switched(this.permissions, right.key, isOn, right.byJob);
    const wanted = this.#wanted;
    this.#running += 1;
    this.#last = this.#last.then(() => this.#save(device, wanted, right, isOn));
    return this.#last;
  }

  async #save(
    device: Device,
    permissions: Permissions,
    right: Pick<Right, "key" | "label" | "byJob">,
    isOn: boolean,
  ): Promise<void> {
    const { toasts, api, devices } = this.#desk;
    const text = words.people.drawer;
    let failed: unknown;
    try {
      await api.changeDevice(device.id, { permissions });
    } catch (error) {
      failed = error;
    }
    this.#running -= 1;
    // The last one asks; a failure before it is seen then as well.
    if (this.#running === 0) {
      await devices.refresh();
      this.#wanted = undefined;
    }
    if (failed !== undefined) {
      toasts.show({ text: text.notSaved(errorText(failed)), tone: "bad" });
      return;
    }
    const name = firstName(device.user.name);
    toasts.show({
      text: isOn ? text.nowMay(name, right.label) : text.mayNot(name, right.label),
      tone: "plain",
      action: { label: words.settings.undo, run: () => void this.turn(right, !isOn) },
    });
  }
}
