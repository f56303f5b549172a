// The HTTP API as a script uses it. Answers are what the contract says; what differs fails the test that reads it.

/** A base address and a token. */
export class Api {
  /**
   * @param {string} base
   * @param {string} [token]
   */
  constructor(base, token) {
    this.base = base;
    this.token = token;
  }

  /**
   * @param {string} path
   * @param {Record<string, string>} [headers]
   */
  get(path, headers) {
    return this.#ask("GET", path, undefined, headers);
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {Record<string, string>} [headers]
   */
  post(path, body, headers) {
    return this.#ask("POST", path, body, headers);
  }

  /**
   * @param {string} path
   * @param {unknown} body
   */
  put(path, body) {
    return this.#ask("PUT", path, body);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {Record<string, string>} [more]
   * @returns {Promise<any>}
   */
  async #ask(method, path, body, more) {
    /** @type {Record<string, string>} */
    // A desk whose clock is set ends connections that were idle, and they must not be used again.
    const headers = { Connection: "close", ...more };
    if (this.token) headers["Authorization"] = `Bearer ${this.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(`${this.base}/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }
}
