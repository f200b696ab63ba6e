// Calls about webhook endpoints. Each is a value first, so that a page can show the command it stands for,
// and what comes back is read here, so that pages see one shape.

import { type EndpointAction, calls } from '../../paths';
import type { Job } from '../delivery/wire';
import type { Ask, Client } from '../kernel/client';
import { type Problem, member } from '../kernel/problems';
import { list, number, text } from '../kernel/values';
import type { Page, Some } from '../kernel/wire';
import type { CreatedEndpoint, Endpoint, EndpointSettings, EndpointStats, HandshakeStep } from './wire';

/** A new endpoint: an address and event types; the rest has defaults. */
export type NewEndpoint = Some<EndpointSettings> & Pick<EndpointSettings, 'url' | 'eventTypes'>;
/** What is merged into an endpoint: members of objects one by one, `null` takes one away. */
export type EndpointPatch = Some<Omit<EndpointSettings, 'headers' | 'authorization'>> & {
  headers?: Record<string, string | null> | undefined;
  authorization?: object | undefined;
};

/** The calls that pages show as commands. */
export const endpointAsks = {
  listEndpoints: (search: { q?: string | undefined; status?: string | undefined } = {}): Ask => ({ method: 'GET', path: calls.endpoints(search) }),
  createEndpoint: (body: NewEndpoint): Ask => ({ method: 'POST', path: calls.endpoints(), body }),
  readEndpoint: (id: string): Ask => ({ method: 'GET', path: calls.endpoint(id) }),
  patchEndpoint: (id: string, body: EndpointPatch): Ask => ({ method: 'PATCH', path: calls.endpoint(id), body }),
  deleteEndpoint: (id: string): Ask => ({ method: 'DELETE', path: calls.endpoint(id) }),
  act: (id: string, action: EndpointAction, body?: unknown): Ask => ({
    method: 'POST',
    path: calls.endpointAction(id, action),
    ...(body === undefined ? {} : { body }),
  }),
  revealEndpoint: (id: string): Ask => ({ method: 'GET', path: calls.endpoint(id, { reveal: true }) }),
  rotateSecret: (id: string, body: { overlapS: number; secret?: string }): Ask => ({ method: 'POST', path: calls.rotateSecret(id), body }),
  revealSecret: (id: string): Ask => ({ method: 'GET', path: calls.endpointSecret(id) }),
  stats: (id: string, search: { from: string; to: string; bucketS: number }): Ask => ({ method: 'GET', path: calls.endpointStats(id, search) }),
};

/** What pages ask of the server about endpoints. */
export class EndpointsApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async list(search: { q?: string | undefined; status?: string | undefined; pageToken?: string | undefined }, signal?: AbortSignal): Promise<Page<Endpoint>> {
    return this.#client.get<Page<Endpoint>>(calls.endpoints(search), signal);
  }

  read(id: string, signal?: AbortSignal): Promise<Endpoint> {
    return this.#client.ask<Endpoint>(endpointAsks.readEndpoint(id), signal);
  }

  /** With the values of headers and credentials in the clear; the server keeps a record of it. */
  readRevealed(id: string): Promise<Endpoint> {
    return this.#client.ask<Endpoint>(endpointAsks.revealEndpoint(id));
  }

  async create(body: NewEndpoint): Promise<CreatedEndpoint> {
    const created = await this.#client.ask<{ id: string; url: string }>(endpointAsks.createEndpoint(body));
    return { id: created.id, url: created.url, steps: stepsOf(created) };
  }

  patch(id: string, body: EndpointPatch): Promise<Endpoint> {
    return this.#client.ask<Endpoint>(endpointAsks.patchEndpoint(id, body));
  }

  delete(id: string): Promise<void> {
    return this.#client.ask<void>(endpointAsks.deleteEndpoint(id));
  }

  pause(id: string): Promise<unknown> {
    return this.#client.ask(endpointAsks.act(id, 'pause'));
  }

  resume(id: string): Promise<unknown> {
    return this.#client.ask(endpointAsks.act(id, 'resume'));
  }

  /** Starts the work and answers with the job that does it. */
  start(id: string, action: 'recover' | 'replay' | 'resend', body: unknown): Promise<Job> {
    return this.#client.ask<Job>(endpointAsks.act(id, action, body));
  }

  async handshake(id: string): Promise<HandshakeStep[]> {
    return stepsOf(await this.#client.ask(endpointAsks.act(id, 'handshake')));
  }

  async test(id: string, body: { eventType: string; data?: unknown }): Promise<{ eventId: string; deliveryId: string | null }> {
    return this.#client.ask(endpointAsks.act(id, 'test', body));
  }

  async secret(id: string): Promise<string> {
    return (await this.#client.ask<{ secret: string }>(endpointAsks.revealSecret(id))).secret;
  }

  rotateSecret(id: string, overlapS: number): Promise<unknown> {
    return this.#client.ask(endpointAsks.rotateSecret(id, { overlapS }));
  }

  stats(id: string, search: { from: string; to: string; bucketS: number }, signal?: AbortSignal): Promise<EndpointStats> {
    return this.#client.ask<EndpointStats>(endpointAsks.stats(id, search), signal);
  }
}

/** The steps of a handshake: in an answer of its own, beside an endpoint, or in a refusal. */
export function stepsOf(answer: unknown): HandshakeStep[] {
  const [error] = list(answer, 'errors');
  const places = [list(member(answer, 'handshakeResult'), 'steps'), list(member(answer, 'handshake'), 'steps'), list(answer, 'steps'), list(error, 'steps')];
  const found = places.find((steps) => steps.length > 0) ?? [];
  return found.map((step) => ({
    name: text(step, 'name') ?? '',
    ok: member(step, 'ok') === true,
    detail: text(step, 'detail') ?? '',
    tookMs: number(step, 'tookMs'),
  }));
}

/** The steps that a refused creation tells of. */
export function stepsOfProblem(problem: Problem): HandshakeStep[] {
  return stepsOf(problem.answer);
}
