// What a bin received, newest first, and what it receives while somebody watches.

import type { Client } from '../../api/kernel/client';
import { Live } from '../../api/events/live';
import { type Problem, asProblem, member } from '../../api/kernel/problems';
import type { BinsApi } from '../../api/inbound/bins';
import type { BinRequest } from '../../api/inbound/wire';
import { calls } from '../../paths';
import { again } from '../kernel/again.svelte';

/** Without a stream, new requests are seen this late. */
const LOOK_MS = 4_000;

export class BinRequests {
  readonly #client: Client;
  readonly #api: BinsApi;
  readonly #bin: string;
  #list = $state.raw<readonly BinRequest[]>([]);
  #fresh = $state.raw<ReadonlySet<string>>(new Set());
  #next = $state.raw<string | null>(null);
  #ready = $state(false);
  #live = $state(false);
  #problem = $state.raw<Problem | null>(null);

  constructor(client: Client, api: BinsApi, bin: string) {
    this.#client = client;
    this.#api = api;
    this.#bin = bin;
  }

  get list(): readonly BinRequest[] {
    return this.#list;
  }

  /** Those that came while somebody watched. */
  get fresh(): ReadonlySet<string> {
    return this.#fresh;
  }

  /** Whether there are older ones. */
  get more(): boolean {
    return this.#next !== null;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** New ones come by themselves. */
  get live(): boolean {
    return this.#live;
  }

  get problem(): Problem | null {
    return this.#problem;
  }

  /** Begins to watch. Returns how to stop. */
  start(): () => void {
    void this.read();
    const stream = new Live(
      this.#client,
      {
        // What came between two connections is read, whether or not the stream goes on where it was.
        opened: () => void this.read(),
        event: (_name, data) => {
          if (isRequest(data)) this.#arrived(data);
        },
        state: (state) => {
          this.#live = state === 'open';
        },
      },
      calls.binStream(this.#bin),
    );
    void stream.run();
    const stop = again(LOOK_MS, () => {
      if (!this.#live) void this.read();
    });
    return () => {
      stop();
      stream.close();
    };
  }

  /** Reads the newest; older ones that are shown stay. */
  async read(): Promise<void> {
    try {
      const page = await this.#api.requests(this.#bin);
      const ids = new Set(page.records.map(({ id }) => id));
      const oldest = page.records.at(-1)?.receivedTime ?? '';
      const older = this.#list.filter((request) => !ids.has(request.id) && request.receivedTime < oldest);
      if (older.length === 0) this.#next = page.nextPageToken ?? null;
      this.#list = [...page.records, ...older];
      this.#problem = null;
      this.#ready = true;
    } catch (error) {
      this.#problem = asProblem(error);
    }
  }

  async older(): Promise<void> {
    if (this.#next === null) return;
    try {
      const page = await this.#api.requests(this.#bin, this.#next);
      this.#list = [...this.#list, ...page.records];
      this.#next = page.nextPageToken ?? null;
    } catch (error) {
      this.#problem = asProblem(error);
    }
  }

  /** The bin was emptied. */
  forget(): void {
    this.#list = [];
    this.#next = null;
  }

  #arrived(request: BinRequest): void {
    if (this.#list.some(({ id }) => id === request.id)) return;
    this.#list = [request, ...this.#list];
    this.#fresh = new Set([...this.#fresh, request.id]);
  }
}

function isRequest(data: unknown): data is BinRequest {
  return typeof member(data, 'id') === 'string' && typeof member(data, 'method') === 'string' && typeof member(data, 'receivedTime') === 'string';
}
