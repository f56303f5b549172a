// An answer of the server that a screen shows and asks for again. Never more than one question at a time.

/** Loads, keeps the last good answer, and says what went wrong since. */
export class Resource<T> {
  data = $state.raw<T | undefined>(undefined);
  error = $state.raw<unknown>(undefined);
  #load: () => Promise<T>;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Asks again; while a question runs, one more is remembered, however often this is called. */
  refresh(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#run();
    return this.#running;
  }

  /** Waits for the answer of the question that runs, if one does. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#once();
      } while (this.#again);
    } finally {
      this.#running = undefined;
    }
  }

  async #once(): Promise<void> {
    try {
      this.data = await this.#load();
      this.error = undefined;
    } catch (error) {
      this.error = error;
    }
  }
}
