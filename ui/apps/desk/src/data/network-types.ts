// How phones reach the laptop, and how safe that way is: as the desk tells it.

import type { components } from "@showdesk/api";

type Schemas = components["schemas"];

/** What the laptop is on the network. */
export type Network = Schemas["NetworkState"];
/** What a phone is to open so that we see whether it gets through. */
export type NetworkTest = Schemas["NetworkTest"];
/** Who got through. */
export type NetworkTestState = Schemas["NetworkTestState"];

/** What the desk asks about its network. */
export interface NetworkCalls {
  network(): Promise<Network>;
  /** A new certificate for this laptop, or with `authority` one that every phone must trust anew. */
  renewCertificates(authority: boolean): Promise<Network>;
  startNetworkTest(): Promise<NetworkTest>;
  networkTest(id: string): Promise<NetworkTestState>;
}
