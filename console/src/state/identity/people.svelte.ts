// Names of people, read once each when somebody first needs them.

import { SvelteMap } from 'svelte/reactivity';
import type { Client } from '../../api/kernel/client';
import type { Person } from '../../api/identity/wire';
import { calls } from '../../paths';

/** Reads in flight; a long chat list must not hold up the timeline. */
const READS_MAX = 4;

/** A person as the page shows them. */
export interface PersonFace {
  id: string;
  name: string;
  /** The author of posts that came through incoming webhooks. */
  isIntegration: boolean;
}

export class People {
  readonly #client: Client;
  readonly #known = new SvelteMap<string, PersonFace>();
  readonly #asked = new Set<string>();
  readonly #queue: string[] = [];
  #reading = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The person, or `undefined` until it was read; asking begins the reading. */
  get(id: string): PersonFace | undefined {
    const known = this.#known.get(id);
    if (known === undefined && !this.#asked.has(id)) {
      this.#asked.add(id);
      this.#queue.push(id);
      // Not now: the caller may be a derivation, which must not change anything.
      queueMicrotask(() => this.#next());
    }
    return known;
  }

  #next(): void {
    while (this.#reading < READS_MAX) {
      const id = this.#queue.shift();
      if (id === undefined) return;
      this.#reading += 1;
      this.#read(id).finally(() => {
        this.#reading -= 1;
        this.#next();
      });
    }
  }

  async #read(id: string): Promise<void> {
    try {
      this.#known.set(id, faceOf(await this.#client.get<Person>(calls.person(id))));
    } catch {
      // Unknown or unreachable: a later look asks again, after a reload of what names them.
      this.#asked.delete(id);
      this.#known.set(id, { id, name: `Person ${id}`, isIntegration: false });
    }
  }
}

function faceOf(person: Person): PersonFace {
  const name = [person.firstName, person.lastName].filter((part) => part !== null && part !== '').join(' ');
  return {
    id: person.id,
    name: name === '' ? (person.email ?? `Person ${person.id}`) : name,
    isIntegration: person.firstName === 'Incoming' && person.lastName === 'Webhook',
  };
}
