// What a provider is set up with, as a person types it. Pure.

import type { Provider, ProviderState } from "../../data/desk-api.ts";

export const PROVIDERS: readonly Provider[] = ["fcm", "apns", "web"];

/** A key file is smaller than this, bytes. */
export const KEY_BYTES_MAX = 64 * 1024;

/** What is typed. A key that is empty stays as it is. */
export interface Typed {
  key: string;
  key_id: string;
  team_id: string;
  topic: string;
  environment: string;
  subject: string;
  endpoint: string;
}

export function typedOf({ settings, endpoint }: ProviderState): Typed {
  return {
    key: "",
    key_id: settings["key_id"] ?? "",
    team_id: settings["team_id"] ?? "",
    topic: settings["topic"] ?? "",
    environment: settings["environment"] ?? "production",
    subject: (settings["subject"] ?? "").replace(/^mailto:/, ""),
    endpoint: endpoint ?? "",
  };
}

/** What is sent: each setting with its name on the wire. A stand-in is sent only where it changes. */
export function settingsOf(provider: Provider, typed: Typed, now: ProviderState): Record<string, string | null> {
  const endpoint = typed.endpoint.trim();
  return {
    ...ownSettings(provider, typed),
    ...(endpoint !== (now.endpoint ?? "") && { endpoint: endpoint === "" ? null : endpoint }),
  };
}

function ownSettings(provider: Provider, typed: Typed): Record<string, string> {
  const key = typed.key.trim();
  switch (provider) {
    case "fcm":
      return key === "" ? {} : { service_account: key };
    case "apns":
      return {
        ...(key !== "" && { key }),
        key_id: typed.key_id.trim(),
        team_id: typed.team_id.trim(),
        topic: typed.topic.trim(),
        environment: typed.environment,
      };
    case "web":
      return { subject: contact(typed.subject) };
  }
}

/** An e-mail address is written without its prefix. */
function contact(text: string): string {
  const typed = text.trim();
  return /^[^\s@:]+@[^\s@]+$/.test(typed) ? `mailto:${typed}` : typed;
}
