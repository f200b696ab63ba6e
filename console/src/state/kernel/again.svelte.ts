// Looking again and again at something that changes elsewhere, while somebody is there to see it.

/** Calls `look` every `everyMs` while the page is visible, and at once when it becomes so. Returns how to stop. */
export function again(everyMs: number, look: () => void): () => void {
  const seen = (): void => {
    if (document.visibilityState === 'visible') look();
  };
  const timer = setInterval(seen, everyMs);
  document.addEventListener('visibilitychange', seen);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', seen);
  };
}

/** The time, told every second: for countdowns. */
export class Ticker {
  #now = $state.raw(new Date());

  get now(): Date {
    return this.#now;
  }

  start(): () => void {
    return again(1_000, () => {
      this.#now = new Date();
    });
  }
}
