// How the server is, for its operators.

import { calls } from '../../paths';
import type { Ask, Client } from './client';
import type { ServerStatus } from './wire';

/** The calls that pages show as commands. */
export const statusAsks = {
  readStatus: (): Ask => ({ method: 'GET', path: calls.status() }),
};

export function readStatus(client: Client, signal?: AbortSignal): Promise<ServerStatus> {
  return client.ask<ServerStatus>(statusAsks.readStatus(), signal);
}
