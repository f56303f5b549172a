// How this page may speak to the desk: the window's own token, the one of this tab, or a code from the printed link.

import { ApiProblem } from "@showdesk/api";

declare global {
  interface Window {
    /** Set by the desktop window before the page runs. */
    __SHOWDESK__?: { token?: string };
  }
}

const KEY = "showdesk.admin";

/** The token this page starts with; null where a code or a new start is needed. */
export function storedToken(): string | null {
  return window.__SHOWDESK__?.token ?? sessionStorage.getItem(KEY);
}

/** Keeps a token for this tab until it is closed. */
export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
}

/** Whether an error means that the token is no longer good. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 401;
}
