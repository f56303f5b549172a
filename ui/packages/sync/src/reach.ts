// Where the laptop is: its address changes at a show, its installation does not.

import { ApiProblem, Unreachable } from "@showdesk/api";

import type { Store } from "./store.ts";
import { askTrust } from "./trust.ts";
import type { Ping } from "./wire.ts";

/** Addresses tried in one round, and remembered, at most. */
const ADDRESSES_MAX = 6;

/** How addresses are asked. */
export interface ReachParts {
  /** Where the page came from. */
  readonly home: string;
  /** Pings an address and shows nobody the token. */
  readonly ask: (address: string) => Promise<Ping>;
  readonly now: () => number;
}

/** This installation, where it answered. */
interface Found {
  readonly address: string;
  readonly who: Ping;
}

/** Finds the laptop among the addresses it has told. */
export class Reach {
  readonly #parts: ReachParts;
  #address: string;
  #movedTo: string | null = null;

  constructor(parts: ReachParts) {
    this.#parts = parts;
    this.#address = parts.home;
  }

  /** Where the laptop last answered. */
  get address(): string {
    return this.#address;
  }

  /** Where the laptop answers, if it is not where the page came from any more. */
  get movedTo(): string | null {
    return this.#movedTo;
  }

  /**
   * Asks where the laptop last was, and if it is not there, everywhere else at once. Only this installation counts;
   * of two that say they are it, the one that lives in the epoch of the phone's rows. Fails as the first one failed.
   */
  async find(store: Store, installationId: string): Promise<Ping> {
    const [told = [], epoch] = await Promise.all([store.fact("addresses"), store.fact("epoch")]);
    const known = this.#usable([this.#address, this.#parts.home, ...told]);
    const first = await this.#try(known[0] ?? this.#parts.home, installationId);
    const isSure = !(first instanceof Error) && (epoch === undefined || first.who.epoch === epoch);
    let found = isSure ? first : await this.#choose(first, known.slice(1), installationId, epoch);
    if (found instanceof Error) found = await this.#askPlain(found, store, installationId);
    if (found instanceof Error) throw found;

    const { home } = this.#parts;
    const { address, who } = found;
    const there = this.#usable(home.startsWith("https:") ? who.https : who.addresses);
    this.#address = address;
    // A laptop that is still at home and was reached by another of its names has not moved.
    this.#movedTo = address === home || there.includes(home) ? null : address;
    await remember(store, "addresses", this.#usable([...there, ...told]));
    if (home.startsWith("https:")) await rememberPlain(store, who);
    return who;
  }

  /** What the other addresses answer, if that is better than what the first one did. */
  async #choose(
    first: Found | Error,
    others: readonly string[],
    installationId: string,
    epoch: string | undefined,
  ): Promise<Found | Error> {
    const answers = await Promise.all(others.map((address) => this.#try(address, installationId)));
    const found = answers.flatMap((answer) => (answer instanceof Error ? [] : [answer]));
    const same = found.find(({ who }) => who.epoch === epoch);
    return same ?? (first instanceof Error ? (found[0] ?? first) : first);
  }

  async #try(address: string, installationId: string): Promise<Found | Error> {
    try {
      const who = await this.#parts.ask(address);
      return who.installation_id === installationId ? { address, who } : new Unreachable("other_installation");
    } catch (error) {
      if (error instanceof Unreachable || error instanceof ApiProblem) return error;
      throw error;
    }
  }

  /**
   * To a page that came with a certificate, a laptop whose certificate the phone does not trust looks like one that is
   * away. Asked without it the laptop may answer, where the browser lets the page ask (docs/decisions/0021), and may
   * say at which address it is now. Nothing but that question ever goes there.
   */
  async #askPlain(failure: Error, store: Store, installationId: string): Promise<Found | Error> {
    const isSilence = failure instanceof Unreachable && (failure.reason === "network" || failure.reason === "timeout");
    if (!isSilence || !this.#parts.home.startsWith("https:")) return failure;
    const plain = (await store.fact("plain_addresses")) ?? [];
    const { ask, now } = this.#parts;
    const told = await Promise.all(plain.map((address) => askTrust(ask, address, installationId, now)));
    const trusted = told.find((trust) => trust.kind === "trusted");
    if (trusted) return await this.#try(trusted.address, installationId);
    if (told.some(({ kind }) => kind === "clock_wrong")) return new Unreachable("clock_wrong", { cause: failure });
    return told.some(({ kind }) => kind === "not_yet") ? new Unreachable("untrusted", { cause: failure }) : failure;
  }

  /** Origins that a page like this one may ask: one that came with a certificate never goes on without. */
  #usable(addresses: readonly string[]): string[] {
    const { protocol } = new URL(this.#parts.home);
    const isOrigin = (address: string) => /^https?:\/\/[^/?#\s]+$/.test(address);
    return [...new Set(addresses)]
      .filter((address) => isOrigin(address) && address.startsWith(`${protocol}//`))
      .slice(0, ADDRESSES_MAX);
  }
}

/**
 * Takes an address in that a person typed, to be tried from now on like those that the laptop told: the page's own
 * scheme and port, unless another port is typed. Null for what is no address. Only this installation counts there too.
 */
export async function learnAddress(store: Store, home: string, typed: string): Promise<string | null> {
  const { protocol, port } = new URL(home);
  const host = typed
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/[/?#].*$/, "");
  if (!/^[a-z0-9.-]+(:\d{1,5})?$/i.test(host)) return null;
  const address = host.includes(":") || port === "" ? `${protocol}//${host}` : `${protocol}//${host}:${port}`;
  if (!URL.canParse(address)) return null;
  const known = (await store.fact("addresses")) ?? [];
  await store.setFact("addresses", [...new Set([address.toLowerCase(), ...known])].slice(0, ADDRESSES_MAX));
  return address.toLowerCase();
}

/** For the day when the certificate is not trusted any more: where to ask without it, and which one it was. */
async function rememberPlain(store: Store, who: Ping): Promise<void> {
  await remember(store, "plain_addresses", who.addresses.slice(0, ADDRESSES_MAX));
  const fingerprint = who.fingerprint_prefix.replace(/[^0-9a-f]/gi, "").toUpperCase();
  if (fingerprint !== "" && fingerprint !== (await store.fact("fingerprint"))) {
    await store.setFact("fingerprint", fingerprint);
  }
}

async function remember(
  store: Store,
  key: "addresses" | "plain_addresses",
  addresses: readonly string[],
): Promise<void> {
  const known = (await store.fact(key)) ?? [];
  if (addresses.length > 0 && addresses.join() !== known.join()) await store.setFact(key, addresses);
}
