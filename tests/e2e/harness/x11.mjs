// The screen as a window manager sees it: which windows there are, what lies before what, and asking one to close.
//
// Speaks the X protocol itself: a test screen has no window manager, and its tools want one.

import { createConnection } from "node:net";

/**
 * A window as it stands on the screen.
 * @typedef {{ id: number, title: string, x: number, y: number, width: number, height: number }} ScreenWindow
 */

const ATTRIBUTES = 3;
const CONFIGURE = 12;
const GEOMETRY = 14;
const TREE = 15;
const ATOM = 16;
const PROPERTY = 20;
const SEND_EVENT = 25;
const CLIENT_MESSAGE = 33;
const SHOWN = 2;
const TITLE_WORDS_MAX = 64;

/** A connection to an X server. */
export class Screen {
  /** @type {Buffer} */
  #heard = Buffer.alloc(0);
  /** @type {(() => void) | undefined} */
  #wake;
  /** @type {Map<string, number>} */
  #atoms = new Map();

  /** @param {import("node:net").Socket} socket */
  constructor(socket) {
    this.socket = socket;
    this.root = 0;
    socket.on("data", (data) => {
      this.#heard = Buffer.concat([this.#heard, data]);
      this.#wake?.();
    });
    socket.on("error", (error) => {
      this.broken = error;
      this.#wake?.();
    });
  }

  /**
   * Connects to `:7`.
   * @param {string} display
   */
  static async open(display) {
    const screen = new Screen(createConnection(`/tmp/.X11-unix/X${display.slice(1)}`));
    // Little endian, protocol 11.0, no authorization.
    screen.socket.write(Buffer.from([0x6c, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    const head = await screen.#read(8);
    const setup = await screen.#read(head.readUInt16LE(6) * 4);
    if (head.readUInt8(0) !== 1) throw new Error(`X refused: ${setup.toString("latin1")}`);
    const vendor = padded(setup.readUInt16LE(16));
    screen.root = setup.readUInt32LE(32 + vendor + setup.readUInt8(21) * 8);
    return screen;
  }

  /**
   * The windows that are shown and have a title, the one before all others last.
   * @returns {Promise<ScreenWindow[]>}
   */
  async windows() {
    const tree = await this.#ask(TREE, 0, words(this.root));
    const found = [];
    for (let at = 0; at < tree.readUInt16LE(16); at += 1) {
      const window = await this.#describe(tree.readUInt32LE(32 + at * 4));
      if (window) found.push(window);
    }
    return found;
  }

  /**
   * Asks a window to close, as the cross in its corner does.
   * @param {ScreenWindow} window
   */
  async close(window) {
    const event = Buffer.alloc(32);
    event.set([CLIENT_MESSAGE, 32]);
    event.writeUInt32LE(window.id, 4);
    event.writeUInt32LE(await this.#atom("WM_PROTOCOLS"), 8);
    event.writeUInt32LE(await this.#atom("WM_DELETE_WINDOW"), 12);
    this.#send(SEND_EVENT, 0, Buffer.concat([words(window.id, 0), event]));
  }

  /**
   * Gives a window a place and a size, as a person does who drags its edges.
   * @param {ScreenWindow} window
   * @param {{ x: number, y: number, width: number, height: number }} place
   */
  configure(window, { x, y, width, height }) {
    const ALL_FOUR = 0b1111;
    this.#send(CONFIGURE, 0, words(window.id, ALL_FOUR, x, y, width, height));
  }

  end() {
    this.socket.destroy();
  }

  /** @param {number} id */
  async #describe(id) {
    try {
      if ((await this.#ask(ATTRIBUTES, 0, words(id))).readUInt8(26) !== SHOWN) return null;
      const name = await this.#ask(PROPERTY, 0, words(id, await this.#atom("_NET_WM_NAME"), 0, 0, TITLE_WORDS_MAX));
      const title = name.toString("utf8", 32, 32 + name.readUInt32LE(16));
      const place = await this.#ask(GEOMETRY, 0, words(id));
      const [x, y] = [place.readInt16LE(12), place.readInt16LE(14)];
      return title === ""
        ? null
        : {
            id,
            title,
            x,
            y,
            width: place.readUInt16LE(16),
            height: place.readUInt16LE(18),
          };
    } catch (error) {
      // It has gone while we asked.
      if (error instanceof NoSuchWindow) return null;
      throw error;
    }
  }

  /** @param {string} name */
  async #atom(name) {
    const known = this.#atoms.get(name);
    if (known !== undefined) return known;
    const text = Buffer.alloc(4 + padded(name.length));
    text.writeUInt16LE(name.length, 0);
    text.write(name, 4, "latin1");
    const atom = (await this.#ask(ATOM, 0, text)).readUInt32LE(8);
    this.#atoms.set(name, atom);
    return atom;
  }

  /**
   * @param {number} opcode
   * @param {number} detail
   * @param {Buffer} body
   */
  #send(opcode, detail, body) {
    const head = Buffer.from([opcode, detail, 0, 0]);
    head.writeUInt16LE(1 + body.length / 4, 2);
    this.socket.write(Buffer.concat([head, body]));
  }

  /**
   * Sends a request and answers its reply.
   * @param {number} opcode
   * @param {number} detail
   * @param {Buffer} body
   */
  async #ask(opcode, detail, body) {
    this.#send(opcode, detail, body);
    for (;;) {
      const head = await this.#read(32);
      const kind = head.readUInt8(0);
      if (kind === 0) throw new NoSuchWindow(`X error ${head.readUInt8(1)} for request ${opcode}`);
      if (kind === 1) return Buffer.concat([head, await this.#read(head.readUInt32LE(4) * 4)]);
    }
  }

  /** @param {number} bytes */
  async #read(bytes) {
    while (this.#heard.length < bytes) {
      if (this.broken) throw this.broken;
      await new Promise((/** @type {(value?: undefined) => void} */ resolve) => (this.#wake = resolve));
    }
    const read = this.#heard.subarray(0, bytes);
    this.#heard = this.#heard.subarray(bytes);
    return read;
  }
}

/** The window asked for is not there any more. */
class NoSuchWindow extends Error {}

/** @param {number[]} numbers */
function words(...numbers) {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, at) => bytes.writeUInt32LE(number, at * 4));
  return bytes;
}

/** @param {number} bytes */
const padded = (bytes) => Math.ceil(bytes / 4) * 4;
