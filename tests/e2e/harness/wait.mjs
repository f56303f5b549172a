// Waiting for something to become true, with a deadline. Tests never sleep.

const POLL_MS = 50;
const DEADLINE_MS = 20_000;

/**
 * Asks until the answer is there; `what` stands in the error if it never is.
 * @template T
 * @param {string} what
 * @param {() => Promise<T | null | undefined | false> | T | null | undefined | false} ask
 * @param {number} [deadlineMs]
 * @returns {Promise<T>}
 */
export async function until(what, ask, deadlineMs = DEADLINE_MS) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
