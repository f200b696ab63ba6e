// Something that is read from the server, and read again: what is shown stays until there is better.

import { type Problem, asProblem } from '../../api/kernel/problems';

export class Reading<T> {
  readonly #read: (signal: AbortSignal) => Promise<T>;
  #abort = new AbortController();
  #value = $state.raw<T | null>(null);
  #problem = $state.raw<Problem | null>(null);

  constructor(read: (signal: AbortSignal) => Promise<T>) {
    this.#read = read;
  }

  /** What was read last; `null` until the first answer. */
  get value(): T | null {
    return this.#value;
  }

  /** Why the last reading failed; `null` when it did not. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** Reads, now or again. A reading that is still under way is dropped. */
  async read(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const value = await this.#read(signal);
      if (signal.aborted) return;
      this.#value = value;
      this.#problem = null;
    } catch (error) {
      if (!signal.aborted) this.#problem = asProblem(error);
    }
  }

  /** Nobody looks any more. */
  stop(): void {
    this.#abort.abort();
  }
}
