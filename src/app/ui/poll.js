// Asks again and again, one question at a time, and only while the page is seen. What is shown live comes through here.

/** A node that is silent is asked less often, up to this. */
const SILENT_MS_MAX = 4000;

export class Poll {
  #ask;
  #interval;
  #timer = 0;
  #running = false;
  #asking = false;
  #failures = 0;

  /** `ask` is an async function; it rejects if the node did not answer. */
  constructor(ask, interval) {
    this.#ask = ask;
    this.#interval = interval;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#running) {
        this.now();
      }
    });
  }

  start() {
    if (!this.#running) {
      this.#running = true;
      this.now();
    }
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** Asks at once, unless an answer is awaited already. */
  async now() {
    if (this.#asking) {
      return;
    }
    clearTimeout(this.#timer);
    this.#asking = true;
    try {
      await this.#ask();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (error instanceof TypeError || error instanceof ReferenceError) {
        console.error(error); // a bug of ours
      }
    }
    this.#asking = false;
    if (this.#running && !document.hidden) {
      const wait = this.#failures === 0 ? this.#interval : Math.min(this.#interval * this.#failures, SILENT_MS_MAX);
      this.#timer = setTimeout(() => this.now(), wait);
    }
  }
}
