// A real notification service on the session bus, played by python3-dbusmock.

import { call, MOCK, openService } from "./session-bus.mjs";

const NAME = "org.freedesktop.Notifications";
const PATH = "/org/freedesktop/Notifications";

/** Starts the service; its log tells every call. */
export async function openNotifications() {
  const service = await openService(NAME, ["--template", "notification_daemon"]);
  return {
    /** The next message that was shown, as the service logged it. */
    shown: () => service.says("that it was told something", (line) => (/\bNotify\b/.test(line) ? line : undefined)),
    /** All messages up to now. */
    all: () => service.lines.filter((line) => /\bNotify\b/.test(line)),
    /**
     * Clicks on a message.
     * @param {number} number counted from 1
     */
    click: (number) =>
      call(NAME, PATH, `${MOCK}.EmitSignal`, NAME, "ActionInvoked", "us", `[<uint32 ${number}>, <'default'>]`),
    close: () => service.end("SIGTERM"),
  };
}
