// The phone's own way to show messages: while the page is hidden, and, where the browser has a push service, while it
// is closed. It needs the worker of a field-ready page, and the person's leave.

import { OPEN_MESSAGES, PUSHED, takePushed } from "./pushed.ts";

/**
 * - none: this browser, or a page over plain HTTP, has no such messages
 * - home_screen: this phone has them only for a page on the Home Screen
 * - ask: nobody was asked yet
 * - denied: the person, or the phone, has said no; only the phone's settings change that
 * - granted: allowed
 */
export type MessagesLeave = "none" | "home_screen" | "ask" | "denied" | "granted";

/** Where a push service reaches this page, and the keys to write to it. */
export interface Subscription {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
}

type Scope = Window & typeof globalThis;

/** What the person and the browser have said so far. Asks nobody. */
export function messagesLeave(scope: Scope = window): MessagesLeave {
  const { navigator } = scope;
  const isKept = scope.isSecureContext && "serviceWorker" in navigator && navigator.serviceWorker.controller !== null;
  if (!isKept) return "none";
  // An iPhone has them only from the Home Screen, and says so by lacking them elsewhere.
  const isIPhone = "standalone" in navigator;
  if (!("Notification" in scope) || !("PushManager" in scope)) return isIPhone ? "home_screen" : "none";
  const { permission } = scope.Notification;
  return permission === "default" ? "ask" : permission;
}

/** Asks the person, by the browser's own question: belongs to a tap. */
export async function askForMessages(scope: Scope = window): Promise<MessagesLeave> {
  if (messagesLeave(scope) !== "ask") return messagesLeave(scope);
  await scope.Notification.requestPermission();
  return messagesLeave(scope);
}

/**
 * The subscription for the desk's key, made anew if there is none or one for another key.
 * Fails where there is no push service, as without internet.
 */
export async function subscribe(key: string, scope: Scope = window): Promise<Subscription> {
  const { pushManager } = await scope.navigator.serviceWorker.ready;
  const bytes = fromBase64Url(key);
  const present = await pushManager.getSubscription();
  if (present !== null && isFor(present, bytes)) return keysOf(present);
  await present?.unsubscribe();
  return keysOf(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes }));
}

/** Ends it: what is still sent there is refused, and what was left for the page is for nobody any more. */
export async function unsubscribe(scope: Scope = window): Promise<void> {
  if ("caches" in scope) await takePushed(scope);
  if (!("serviceWorker" in scope.navigator)) return;
  const registration = await scope.navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager?.getSubscription())?.unsubscribe();
}

/** A message as the phone shows it. */
export interface Shown {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly isUrgent: boolean;
}

/** Shows a message outside the page, in place of one with the same id. */
export async function showOutside({ id, title, body, isUrgent }: Shown, scope: Scope = window): Promise<void> {
  if (messagesLeave(scope) !== "granted") return;
  const registration = await scope.navigator.serviceWorker.ready;
  await registration.showNotification(title, { body, tag: id, requireInteraction: isUrgent, icon: ICON, data: { id } });
}

/** Takes messages away from outside the page that were read in it. */
export async function hideOutside(ids: ReadonlySet<string>, scope: Scope = window): Promise<void> {
  if (messagesLeave(scope) !== "granted") return;
  const registration = await scope.navigator.serviceWorker.ready;
  for (const shown of await registration.getNotifications()) if (ids.has(shown.tag)) shown.close();
}

/**
 * Calls `take` with what the worker has left for the page, now and whenever it says so, and `open` when the person has
 * tapped a message outside the page.
 */
export async function hearPushed(
  { take, open }: { readonly take: (told: unknown) => void; readonly open: () => void },
  scope: Scope = window,
): Promise<void> {
  if (!("serviceWorker" in scope.navigator) || !("caches" in scope)) return;
  const takeAll = async () => (await takePushed(scope)).forEach(take);
  scope.navigator.serviceWorker.addEventListener("message", (event: MessageEvent) => {
    if (event.data === PUSHED) void takeAll();
    if (event.data === OPEN_MESSAGES) open();
  });
  await takeAll();
}

const ICON = "./icons/192.png";

function keysOf(subscription: PushSubscription): Subscription {
  const { endpoint, keys } = subscription.toJSON();
  if (endpoint === undefined || !keys?.["p256dh"] || !keys["auth"]) throw new Error("a subscription without keys");
  return { endpoint, p256dh: keys["p256dh"], auth: keys["auth"] };
}

function isFor({ options }: PushSubscription, key: Uint8Array): boolean {
  const present = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0));
  return present.length === key.length && present.every((byte, i) => byte === key[i]);
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
