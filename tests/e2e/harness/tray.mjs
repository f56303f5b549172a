// A desktop's tray on the session bus, played by python3-dbusmock, and the menu of the icon that comes into it.

import { call, introspect, MOCK, namesOnBus, openService } from "./session-bus.mjs";
import { until } from "./wait.mjs";

const WATCHER = "org.kde.StatusNotifierWatcher";
const PATH = "/StatusNotifierWatcher";
const ITEMS = "/org/ayatana/NotificationItem";
const MENU = "com.canonical.dbusmenu";

/** Starts a tray. */
export async function openTray() {
  const service = await openService(WATCHER, [WATCHER, PATH, WATCHER]);
  await call(WATCHER, PATH, `${MOCK}.AddProperty`, WATCHER, "IsStatusNotifierHostRegistered", "<true>");
  await call(WATCHER, PATH, `${MOCK}.AddMethod`, WATCHER, "RegisterStatusNotifierItem", "s", "", "");
  return {
    /** The icon of the program, once it is there. */
    icon: () => until("the icon is in the tray", findIcon),
    close: () => service.end("SIGTERM"),
  };
}

/** An icon in the tray. */
class Icon {
  /**
   * @param {string} owner
   * @param {string} menu
   */
  constructor(owner, menu) {
    this.owner = owner;
    this.menu = menu;
  }

  /** The lines of its menu, with their numbers. */
  async lines() {
    const layout = await call(this.owner, this.menu, `${MENU}.GetLayout`, "0", "-1", "['label']");
    // Number 0 is the menu itself.
    const lines = layout.matchAll(/\(([1-9]\d*), \{'label': <'([^']*)'>\}/g);
    return new Map([...lines].map(([, number, label]) => [label ?? "", Number(number)]));
  }

  /**
   * Chooses a line of its menu.
   * @param {string} label
   */
  async choose(label) {
    const number = (await this.lines()).get(label);
    if (number === undefined) throw new Error(`the tray's menu has no line ${label}`);
    await call(this.owner, this.menu, `${MENU}.Event`, String(number), "clicked", "<0>", "0");
  }
}

/** The program tells the tray its object and not its own name: the owner is the one on the bus that has it. */
async function findIcon() {
  for (const name of await namesOnBus()) {
    const icon = name.startsWith(":") ? await iconOf(name) : null;
    if (icon) return icon;
  }
  return null;
}

/** @param {string} owner */
async function iconOf(owner) {
  try {
    const item = /<node name="([^"/]+)"/.exec(await introspect(owner, ITEMS))?.[1];
    if (item === undefined) return null;
    const method = "org.freedesktop.DBus.Properties.Get";
    const menu = await call(owner, `${ITEMS}/${item}`, method, "org.kde.StatusNotifierItem", "Menu");
    const path = /objectpath '([^']+)'/.exec(menu)?.[1];
    return path === undefined ? null : new Icon(owner, path);
  } catch {
    // Most programs on the bus have no icon, and some answer nothing.
    return null;
  }
}
