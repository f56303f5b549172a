// The air between a phone and the desk: what passes it can be cut in the middle, as a phone that is carried behind a
// barn is. A browser that is set offline keeps the streams that it has open.

import { connect, createServer } from "node:net";
import { once } from "node:events";

/** Connections from a place of its own to a host, until they are cut. */
export class Air {
  #server = createServer((phone) => this.#carry(phone));
  /** @type {Set<import("node:net").Socket>} */
  #open = new Set();
  #isCut = false;

  /** @param {string} host with its port */
  constructor(host) {
    this.host = host;
  }

  /**
   * @param {string} host with its port
   */
  static async open(host) {
    const air = new Air(host);
    air.#server.listen(0, "127.0.0.1");
    await once(air.#server, "listening");
    return air;
  }

  /**
   * The same page, reached through here.
   * @param {string} url
   */
  through(url) {
    const { port } = /** @type {import("node:net").AddressInfo} */ (this.#server.address());
    return Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  }

  /** Ends all connections; new ones come through, unless they are cut, too. */
  end() {
    for (const socket of this.#open) socket.destroy();
  }

  /** Ends all connections and refuses new ones. */
  cut() {
    this.#isCut = true;
    this.end();
  }

  /** New connections come through again. */
  uncut() {
    this.#isCut = false;
  }

  /** Nothing comes through any more. */
  async close() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** @param {import("node:net").Socket} phone */
  #carry(phone) {
    if (this.#isCut) {
      phone.destroy();
      return;
    }
    const { hostname, port } = new URL(`http://${this.host}`);
    const desk = connect({ host: hostname, port: Number(port) });
    for (const [socket, other] of [
      [phone, desk],
      [desk, phone],
    ]) {
      if (!socket || !other) continue;
      this.#open.add(socket);
      // What was cut is no error of a test: the other end sees it as the end of its connection.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
