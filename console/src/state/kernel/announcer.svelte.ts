// What a screen reader should hear. Batched, so that a burst of posts is one sentence.

/** Live regions that change more often than this are cut off mid-word. */
const PAUSE_MS = 5_000;

export class Announcer {
  #message = $state('');
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #quietUntil = 0;

  get message(): string {
    return this.#message;
  }

  say(message: string): void {
    this.#waiting.push(message);
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(this.#quietUntil - performance.now(), 50));
  }

  #flush(): void {
    this.#timer = undefined;
    const [only] = this.#waiting;
    this.#message = this.#waiting.length === 1 ? (only ?? '') : `${this.#waiting.length} new posts`;
    this.#waiting = [];
    this.#quietUntil = performance.now() + PAUSE_MS;
  }
}
