// Calls about credentials. Each is a value first, so that a page can show the command it stands for.

import { calls } from '../../paths';
import type { Ask, Client } from '../kernel/client';
import { LIMIT_MAX, wholeList } from '../kernel/lists';
import { list, text } from '../kernel/values';
import type { Credential, NewCredential } from './wire';

/** A program that acts in its own name. */
export interface Bot {
  id: string;
  name: string;
}

/** The calls that pages show as commands. */
export const credentialAsks = {
  listCredentials: (personId?: string): Ask => ({ method: 'GET', path: calls.credentials({ personId }) }),
  createCredential: (body: NewCredential): Ask => ({ method: 'POST', path: calls.credentials(), body }),
  renameCredential: (id: string, name: string): Ask => ({ method: 'PATCH', path: calls.credential(id), body: { name } }),
  revokeCredential: (id: string): Ask => ({ method: 'POST', path: calls.revokeCredential(id) }),
  deleteCredential: (id: string): Ask => ({ method: 'DELETE', path: calls.credential(id) }),
};

/** What pages ask of the server about credentials. */
export class CredentialsApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** One's own, or those of a bot. */
  list(personId: string | undefined, signal?: AbortSignal): Promise<Credential[]> {
    return wholeList<Credential>(this.#client, (pageToken) => calls.credentials({ personId, limit: LIMIT_MAX, pageToken }), signal);
  }

  /** The token is told this once. */
  create(body: NewCredential): Promise<Credential & { token: string }> {
    return this.#client.ask(credentialAsks.createCredential(body));
  }

  rename(id: string, name: string): Promise<Credential> {
    return this.#client.ask<Credential>(credentialAsks.renameCredential(id, name));
  }

  revoke(id: string): Promise<unknown> {
    return this.#client.ask(credentialAsks.revokeCredential(id));
  }

  delete(id: string): Promise<void> {
    return this.#client.ask<void>(credentialAsks.deleteCredential(id));
  }

  /** The account's bots, by name. */
  async bots(signal?: AbortSignal): Promise<Bot[]> {
    const answer = await this.#client.get<unknown>(calls.bots(), signal);
    return list(answer, 'records').map(botOf).toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
  }
}

/** A bot as the platform lists it: ids are numbers there. */
function botOf(record: unknown): Bot {
  const id = typeof record === 'object' && record !== null ? String(Reflect.get(record, 'id')) : '';
  return { id, name: text(record, 'name') ?? `Bot ${id}` };
}
