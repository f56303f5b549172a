// SHA-256 for checksums: crypto.subtle does not exist on pages served over plain HTTP.

import { paddedWords } from "./sha1.ts";

const ROUND_CONSTANTS = new Uint32Array(fractions(64, Math.cbrt));
const FIRST_STATE = new Uint32Array(fractions(8, Math.sqrt));

/** The digest of FIPS 180-4 as 64 lower-case hexadecimal digits. */
export function sha256(message: Uint8Array): string {
  const words = paddedWords(message);
  const state = FIRST_STATE.slice();
  const schedule = new Uint32Array(64);
  for (let start = 0; start < words.length; start += 16) {
    schedule.set(words.subarray(start, start + 16));
    for (let i = 16; i < 64; i += 1) {
      const [far, near] = [at(schedule, i - 15), at(schedule, i - 2)];
      const sigma0 = turn(far, 7) ^ turn(far, 18) ^ (far >>> 3);
      const sigma1 = turn(near, 17) ^ turn(near, 19) ^ (near >>> 10);
      schedule[i] = at(schedule, i - 16) + sigma0 + at(schedule, i - 7) + sigma1;
    }
    mixBlock(state, schedule);
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

function mixBlock(state: Uint32Array, schedule: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const sum1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = h + sum1 + choice + at(ROUND_CONSTANTS, i) + at(schedule, i);
    const sum0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    [a, b, c, d, e, f, g, h] = [(first + sum0 + majority) >>> 0, a, b, c, (d + first) >>> 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = at(state, i) + word;
  });
}

/**
 * The first 32 bits of the fractional parts of the roots of the first primes: where the standard's numbers come from.
 * Below those bits they are far enough from a whole number that a root's last bit does not matter.
 */
function fractions(count: number, root: (prime: number) => number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n += 1) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32));
}

function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
