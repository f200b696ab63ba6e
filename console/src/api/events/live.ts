// A push connection: reads an event stream, notices when it dies, and connects again without a gap.

import { calls } from '../../paths';
import type { Client } from '../kernel/client';
import { EventStreamParser } from '../kernel/event-stream';
import { asProblem } from '../kernel/problems';

/** The server says something at least every 15 s; three silences in a row mean that nobody is there. */
const SILENCE_MAX_MS = 45_000;
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 20_000;

export type LiveState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface LiveListener {
  /** Events follow. `continued` means that nothing was missed since the last connection. */
  opened: (continued: boolean) => void;
  event: (name: string, data: unknown) => void;
  state: (state: LiveState) => void;
}

/** How long to wait before attempt `attempt` (from 1): doubles up to a bound, and never in step with others. */
export function backoffMs(attempt: number, chance: number): number {
  const ceiling = Math.min(BACKOFF_MIN_MS * 2 ** Math.min(attempt - 1, 16), BACKOFF_MAX_MS);
  return Math.round(ceiling / 2 + (ceiling / 2) * chance);
}

/** A connection that lives until it is closed. */
export class Live {
  readonly #client: Client;
  readonly #listener: LiveListener;
  readonly #path: string;
  #closed = false;
  #lastEventId: string | null = null;
  #attempts = 0;
  #abort = new AbortController();
  #wake: () => void = () => undefined;

  constructor(client: Client, listener: LiveListener, path: string = calls.live()) {
    this.#client = client;
    this.#listener = listener;
    this.#path = path;
  }

  /** Connects, again and again, until `close`. */
  async run(): Promise<void> {
    while (!this.#closed) {
      this.#listener.state('connecting');
      try {
        await this.#connect();
      } catch (error) {
        if (this.#closed) return;
        // Without a session there is nothing to connect with; signing in starts a new one.
        if (asProblem(error).status === 401) return this.close();
      }
      if (this.#closed) return;
      this.#attempts += 1;
      this.#listener.state('waiting');
      await this.#pause(backoffMs(this.#attempts, Math.random()));
    }
  }

  /** Tries now instead of waiting: the network came back, or somebody looks at the page again. */
  retryNow(): void {
    this.#wake();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#abort.abort();
    this.#wake();
    this.#listener.state('closed');
  }

  async #connect(): Promise<void> {
    this.#abort = new AbortController();
    const abort = this.#abort;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MAX_MS);
    };
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.#lastEventId !== null) headers['Last-Event-ID'] = this.#lastEventId;
    heard();
    try {
      const response = await this.#client.open(this.#path, headers, abort.signal);
      await this.#read(response, this.#lastEventId !== null, heard);
    } finally {
      clearTimeout(silence);
      abort.abort();
    }
  }

  async #read(response: Response, continued: boolean, heard: () => void): Promise<void> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    const parser = new EventStreamParser();
    this.#listener.state('open');
    this.#listener.opened(continued);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // A server that only accepts and hangs up must not be asked at full speed.
      this.#attempts = 0;
      heard();
      for (const item of parser.push(value)) {
        if (item.kind === 'event') this.#tell(item.event, item.data);
      }
      this.#lastEventId = parser.lastEventId ?? this.#lastEventId;
    }
  }

  #tell(name: string, data: string): void {
    let parsed: unknown = null;
    try {
      parsed = JSON.parse(data);
    } catch {
      // Only `ready`, `reset` and the like come without JSON; their names say everything.
    }
    this.#listener.event(name, parsed);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
