// The time that relative times are told by. Moves often enough for minutes, seldom enough for rest.

const TICK_MS = 20_000;

class Clock {
  #now = $state.raw(new Date());

  get now(): Date {
    return this.#now;
  }

  /** Begins to tick. Returns how to stop. */
  start(): () => void {
    const tick = (): void => {
      this.#now = new Date();
    };
    const timer = setInterval(tick, TICK_MS);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }
}

export const clock = new Clock();
