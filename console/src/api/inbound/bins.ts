// Calls about bins. Each is a value first, so that a page can show the command it stands for.

import { calls } from '../../paths';
import type { Ask, Client } from '../kernel/client';
import { LIMIT_MAX, wholeList } from '../kernel/lists';
import type { Page, Some } from '../kernel/wire';
import type { Bin, BinReply, BinRequest } from './wire';

/** The calls that pages show as commands. */
export const binAsks = {
  listBins: (): Ask => ({ method: 'GET', path: calls.bins() }),
  createBin: (body: { name?: string; answer?: Some<BinReply> }): Ask => ({ method: 'POST', path: calls.bins(), body }),
  patchBin: (id: string, body: { name?: string; answer?: Some<BinReply> }): Ask => ({ method: 'PATCH', path: calls.bin(id), body }),
  deleteBin: (id: string): Ask => ({ method: 'DELETE', path: calls.bin(id) }),
  listBinRequests: (id: string): Ask => ({ method: 'GET', path: calls.binRequests(id) }),
  clearBin: (id: string): Ask => ({ method: 'DELETE', path: calls.binRequests(id) }),
  watchBin: (id: string): Ask => ({ method: 'GET', path: calls.binStream(id) }),
};

/** What pages ask of the server about bins. */
export class BinsApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  list(signal?: AbortSignal): Promise<Bin[]> {
    return wholeList<Bin>(this.#client, (pageToken) => calls.bins({ limit: LIMIT_MAX, pageToken }), signal);
  }

  read(id: string, signal?: AbortSignal): Promise<Bin> {
    return this.#client.get<Bin>(calls.bin(id), signal);
  }

  create(name?: string): Promise<Bin> {
    return this.#client.ask<Bin>(binAsks.createBin(name === undefined ? {} : { name }));
  }

  patch(id: string, body: { name?: string; answer?: BinReply }): Promise<Bin> {
    return this.#client.ask<Bin>(binAsks.patchBin(id, body));
  }

  delete(id: string): Promise<void> {
    return this.#client.delete(calls.bin(id));
  }

  async requests(id: string, pageToken?: string, signal?: AbortSignal): Promise<Page<BinRequest>> {
    return this.#client.get<Page<BinRequest>>(calls.binRequests(id, { limit: 100, pageToken }), signal);
  }

  clear(id: string): Promise<void> {
    return this.#client.delete(calls.binRequests(id));
  }
}
