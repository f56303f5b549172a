// A screen without a screen: Xvfb on a number of its own choice, and pictures of what is on it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

import { Program } from "./program.mjs";

/** Starts Xvfb and answers it with the value for DISPLAY. */
export async function openDisplay() {
  const folder = mkdtempSync(join(tmpdir(), "showdesk-screen-"));
  const size = ["-screen", "0", "1280x800x24", "-fbdir", folder];
  const xvfb = new Program("Xvfb", ["-displayfd", "1", ...size, "-nolisten", "tcp", "-noreset"]);
  const number = await xvfb.says("its number", (line) => (/^\d+$/.test(line) ? line : undefined));
  return {
    display: `:${number}`,
    /** What is on the screen now, as a PNG. */
    picture: () => png(screenDump(readFileSync(join(folder, "Xvfb_screen0")))),
    close: async () => {
      await xvfb.end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Reads an X window dump as Xvfb keeps it: 32 bits a pixel, blue first. Answers rows of red, green, blue.
 * @param {Buffer} dump
 */
function screenDump(dump) {
  const field = (/** @type {number} */ index) => dump.readUInt32BE(index * 4);
  const [headerBytes, width, height, bytesPerLine, colours] = [field(0), field(4), field(5), field(12), field(19)];
  const COLOUR_BYTES = 12;
  const first = headerBytes + colours * COLOUR_BYTES;
  const rgb = Buffer.alloc(width * height * 3);
  for (let at = 0; at < width * height; at += 1) {
    const pixel = first + Math.floor(at / width) * bytesPerLine + (at % width) * 4;
    rgb[at * 3] = dump.readUInt8(pixel + 2);
    rgb[at * 3 + 1] = dump.readUInt8(pixel + 1);
    rgb[at * 3 + 2] = dump.readUInt8(pixel);
  }
  return { width, height, rgb };
}

/**
 * @param {{ width: number, height: number, rgb: Buffer }} picture
 */
function png({ width, height, rgb }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits each of red, green and blue.
  header.set([8, 2, 0, 0, 0], 8);
  const lines = [];
  for (let row = 0; row < height; row += 1) {
    lines.push(Buffer.from([0]), rgb.subarray(row * width * 3, (row + 1) * width * 3));
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pixels = deflateSync(Buffer.concat(lines), { level: 9 });
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/**
 * @param {string} name
 * @param {Buffer} data
 */
function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
