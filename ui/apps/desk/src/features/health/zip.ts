// Several files as one: a zip archive whose files lie in it as they are. Pictures are packed already, tables are small.
//
// Pure. The form is PKWARE's APPNOTE 6.3, sections 4.3 and 4.4: local headers, the directory, its end.

export interface Packed {
  /** Plain letters, digits, `-`, `_` and `.`. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** The archive says that names are UTF-8. */
const UTF8 = 0x0800;
const VERSION = 20;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;

/** The archive; `at` is the moment that its files carry. */
export function zip(files: readonly Packed[], at: Date): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const title = new TextEncoder().encode(name);
    const sum = crc32(bytes);
    const local = header(LOCAL_BYTES, LOCAL, 4, [sum, bytes.length, title.length], at);
    const central = header(CENTRAL_BYTES, CENTRAL, 6, [sum, bytes.length, title.length], at);
    new DataView(central.buffer).setUint16(4, VERSION, true);
    new DataView(central.buffer).setUint32(42, offset, true);
    parts.push(local, title, bytes);
    directory.push(central, title);
    offset += local.length + title.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  return new Blob([...parts, ...directory, end(files.length, size, offset)], { type: "application/zip" });
}

/** What both headers of a file have, from `from` on. */
function header(
  length: number,
  signature: number,
  from: number,
  [sum, size, title]: readonly [number, number, number],
  at: Date,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  view.setUint16(from, VERSION, true);
  view.setUint16(from + 2, UTF8, true);
  view.setUint16(from + 6, timeOf(at), true);
  view.setUint16(from + 8, dateOf(at), true);
  view.setUint32(from + 10, sum, true);
  view.setUint32(from + 14, size, true);
  view.setUint32(from + 18, size, true);
  view.setUint16(from + 22, title, true);
  return bytes;
}

function end(files: number, size: number, offset: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(END_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, END, true);
  view.setUint16(8, files, true);
  view.setUint16(10, files, true);
  view.setUint32(12, size, true);
  view.setUint32(16, offset, true);
  return bytes;
}

/** Two seconds are one step. */
function timeOf(at: Date): number {
  return (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
}

/** Years count from 1980. */
function dateOf(at: Date): number {
  return ((at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
}

/** The check sum of ISO 3309. */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
