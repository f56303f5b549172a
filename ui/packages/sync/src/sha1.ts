// SHA-1, only for UUIDv5: crypto.subtle does not exist on pages served over plain HTTP.

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/** The 20 bytes of RFC 3174. Never use it where somebody could gain from a collision. */
export function sha1(message: Uint8Array): Uint8Array {
  const words = paddedWords(message);
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  const schedule = new Uint32Array(80);
  for (let start = 0; start < words.length; start += 16) {
    schedule.set(words.subarray(start, start + 16));
    for (let i = 16; i < 80; i += 1) {
      schedule[i] = rotate(at(schedule, i - 3) ^ at(schedule, i - 8) ^ at(schedule, i - 14) ^ at(schedule, i - 16), 1);
    }
    mixBlock(state, schedule);
  }
  const digest = new Uint8Array(20);
  const view = new DataView(digest.buffer);
  state.forEach((word, i) => view.setUint32(i * 4, word));
  return digest;
}

function mixBlock(state: Uint32Array, schedule: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let i = 0; i < 80; i += 1) {
    const mixed = (rotate(a, 5) + choose(i, b, c, d) + e + constant(i) + at(schedule, i)) >>> 0;
    [a, b, c, d, e] = [mixed, a, rotate(b, 30), c, d];
  }
  [a, b, c, d, e].forEach((word, i) => {
    state[i] = at(state, i) + word;
  });
}

function choose(round: number, b: number, c: number, d: number): number {
  if (round < 20) return (b & c) | (~b & d);
  if (round < 40 || round >= 60) return b ^ c ^ d;
  return (b & c) | (b & d) | (c & d);
}

function constant(round: number): number {
  if (round < 20) return 0x5a827999;
  if (round < 40) return 0x6ed9eba1;
  if (round < 60) return 0x8f1bbcdc;
  return 0xca62c1d6;
}

/** The message in big-endian words, padded to whole blocks; SHA-1 and SHA-256 do it alike. */
export function paddedWords(message: Uint8Array): Uint32Array {
  const blocks = Math.ceil((message.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const padded = new Uint8Array(blocks * BLOCK_BYTES);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, message.length * 8);
  return Uint32Array.from({ length: padded.length / 4 }, (_, i) => view.getUint32(i * 4));
}

function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}

function rotate(word: number, bits: number): number {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}
