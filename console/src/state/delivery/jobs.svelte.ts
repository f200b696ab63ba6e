// Long work on one endpoint: what runs now, and what ended while somebody watched.

import type { DeliveriesApi } from '../../api/delivery/deliveries';
import type { Job } from '../../api/delivery/wire';

/** Often enough for a bar that moves. */
const WATCH_MS = 700;
/** Work that somebody else began is noticed this late. */
const NOTICE_MS = 10_000;

export class Jobs {
  readonly #api: DeliveriesApi;
  readonly #endpoint: string;
  #jobs = $state.raw<readonly Job[]>([]);
  #hidden: readonly string[] = [];
  /** Grows with every step of any of them. */
  progress = $state(0);

  constructor(api: DeliveriesApi, endpoint: string) {
    this.#api = api;
    this.#endpoint = endpoint;
  }

  /** Newest first: everything that runs, and what ended since the page was opened. */
  get shown(): readonly Job[] {
    return this.#jobs;
  }

  get running(): boolean {
    return this.#jobs.some(({ status }) => status === 'running');
  }

  /** Begins to watch. Returns how to stop. */
  start(): () => void {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let quietSince = -NOTICE_MS;
    const look = async (): Promise<void> => {
      const notice = performance.now() - quietSince >= NOTICE_MS;
      try {
        if (document.visibilityState === 'visible' && (this.running || notice)) {
          if (notice) quietSince = performance.now();
          await this.#look(notice);
        }
      } catch {
        // The next look tells; what is shown stays.
      }
      if (!stopped) timer = setTimeout(() => void look(), WATCH_MS);
    };
    void look();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }

  /** A job that was just begun here. */
  add(job: Job): void {
    this.#jobs = [job, ...this.#jobs.filter(({ id }) => id !== job.id)];
    this.progress += 1;
  }

  /** Not worth a line any more. */
  hide(id: string): void {
    this.#hidden = [...this.#hidden, id];
    this.#jobs = this.#jobs.filter((job) => job.id !== id);
  }

  async cancel(id: string): Promise<void> {
    await this.#api.cancelJob(id);
    await this.#look(false);
  }

  async #look(notice: boolean): Promise<void> {
    const running = this.#jobs.filter(({ status }) => status === 'running');
    const fresh = await Promise.all(running.map(({ id }) => this.#api.job(id)));
    for (const job of fresh) this.#replace(job);
    if (!notice) return;
    for (const job of await this.#api.jobsOf(this.#endpoint)) {
      if (job.status === 'running' && !this.#hidden.includes(job.id)) this.#replace(job);
    }
  }

  #replace(job: Job): void {
    const known = this.#jobs.find(({ id }) => id === job.id);
    if (known !== undefined && known.done === job.done && known.status === job.status && known.total === job.total) return;
    this.#jobs = known === undefined ? [job, ...this.#jobs] : this.#jobs.map((old) => (old.id === job.id ? job : old));
    this.progress += 1;
  }
}
