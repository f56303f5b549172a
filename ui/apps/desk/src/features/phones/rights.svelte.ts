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

/** A switch that somebody turned. */
interface Turn extends Pick<Right, "key" | "label" | "byJob"> {
  isOn: boolean;
}

export class Rights {
  readonly #desk: Desk;
  /** Whose switches these are, whatever phone is looked at when one is undone. */
  readonly #phone: Device;
  /** Turned, and not yet answered. */
  #waiting = $state.raw<readonly Turn[]>([]);
  /** What the desk took last, until the list of phones says it too. */
  #taken = $state.raw<Permissions | undefined>(undefined);
  #last: Promise<void> = Promise.resolve();

  constructor(desk: Desk, phone: Device) {
    this.#desk = desk;
    this.#phone = phone;
  }

  /** As the switches stand: what the desk has, and on it what waits for its answer. */
  readonly permissions: Permissions = $derived.by(() => this.#waiting.reduce(turned, this.#kept()));

  /** Turns a switch; it stands where it was put at once, and goes back if the desk says no. */
  turn(right: Pick<Right, "key" | "label" | "byJob">, isOn: boolean): Promise<void> {
    const turn = { ...right, isOn };
    this.#waiting = [...this.#waiting, turn];
    this.#last = this.#last.then(() => this.#save(turn));
    return this.#last;
  }

  /** What the desk has for sure. Not a derived value: an undo asks for it when the page shows another phone. */
  #kept(): Permissions {
    const phone = this.#desk.devices.data?.find(({ id }) => id === this.#phone.id) ?? this.#phone;
    return this.#taken ?? phone.permissions;
  }

  async #save(turn: Turn): Promise<void> {
    const { toasts, api, devices } = this.#desk;
    const text = words.people.drawer;
    let failed: unknown;
    try {
      // Made when its turn comes: one that the desk refused is not in it.
      const permissions = turned(this.#kept(), turn);
      await api.changeDevice(this.#phone.id, { permissions });
      this.#taken = permissions;
    } catch (error) {
      failed = error;
    }
    this.#waiting = this.#waiting.filter((other) => other !== turn);
    // The last one asks; a failure before it is seen then as well.
    if (this.#waiting.length === 0) {
      await devices.refresh();
      if (this.#waiting.length === 0 && devices.error === undefined) this.#taken = undefined;
    }
    if (failed !== undefined) {
      toasts.show({ text: text.notSaved(errorText(failed)), tone: "bad" });
      return;
    }
    const name = firstName(this.#phone.user.name);
    toasts.show({
      text: turn.isOn ? text.nowMay(name, turn.label) : text.mayNot(name, turn.label),
      tone: "plain",
      action: { label: words.settings.undo, run: () => void this.turn(turn, !turn.isOn) },
    });
  }
}

function turned(now: Permissions, { key, isOn, byJob }: Turn): Permissions {
  return switched(now, key, isOn, byJob);
}
