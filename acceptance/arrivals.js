// What came, kept until somebody asks for it: tests wait for things, never for time.

const ARRIVAL_TIMEOUT_MS = 15_000;

/** Things in order of arrival. One waits at a time. */
export class Arrivals {
  #items = [];
  #arrived = () => {};

  add(item) {
    this.#items.push(item);
    this.#arrived();
  }

  /** What nobody has asked for yet. */
  remaining() {
    return [...this.#items];
  }

  /** Takes all that nobody has asked for yet. */
  drain() {
    return this.#items.splice(0);
  }

  /** Waits for the first that is wanted, and takes it. */
  async next(wanted, name, timeout = ARRIVAL_TIMEOUT_MS) {
    const deadline = Date.now() + timeout;
    for (;;) {
      const index = this.#items.findIndex(wanted);
      if (index >= 0) return this.#items.splice(index, 1)[0];
      await new Promise((resolve, reject) => {
        const late = () =>
          reject(new Error(`${name} did not arrive; got ${JSON.stringify(this.#items)}`));
        const timer = setTimeout(late, deadline - Date.now());
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
