// The webhook builder's calls. Each is a value first, so that a page can show the command it stands for,
// and what comes back is read here, so that pages see one shape.

import { type EndpointAction, calls } from '../paths';
import type { Ask, Client } from './client';
import { Problem, member } from './problems';
import type {
  AttemptRecord,
  Bin,
  BinReply,
  BinRequest,
  CreatedEndpoint,
  DeliveryQuery,
  DeliveryRecord,
  DeliveryStory,
  Endpoint,
  EndpointSettings,
  EndpointStats,
  EventTypeInfo,
  HandshakeStep,
  HttpSide,
  Job,
  Page,
  Scenario,
} from './webhooks-wire';

/** Deliveries on a page of the list. */
export const DELIVERIES_LIMIT = 50;
/** The largest page the server gives; the fewest calls to read a whole list. */
const LIMIT_MAX = 250;
/** Lists that are read whole end here, whatever the server says. */
const PAGES_MAX = 40;
/** Counting stops here: past it, "more than" is as good as a number. */
export const COUNT_MAX = 1_000;

type Some<T> = { [K in keyof T]?: T[K] | undefined };
/** A new endpoint: an address and event types; the rest has defaults. */
export type NewEndpoint = Some<EndpointSettings> & Pick<EndpointSettings, 'url' | 'eventTypes'>;
/** What is merged into an endpoint: members of objects one by one, `null` takes one away. */
export type EndpointPatch = Some<Omit<EndpointSettings, 'headers' | 'authorization'>> & {
  headers?: Record<string, string | null> | undefined;
  authorization?: object | undefined;
};

/** The calls that pages show as commands. */
export const asks = {
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
  listDeliveries: (endpointId: string, query: DeliveryQuery, limit = DELIVERIES_LIMIT, pageToken?: string): Ask => ({
    method: 'GET',
    path: calls.deliveries({ endpointId, ...query, limit, pageToken }),
  }),
  readDelivery: (id: string): Ask => ({ method: 'GET', path: calls.delivery(id) }),
  resendDelivery: (id: string): Ask => ({ method: 'POST', path: calls.resendDelivery(id) }),
  runScenario: (name: string, body: { endpointId: string; stepPauseMs: number; publish?: boolean }): Ask => ({ method: 'POST', path: calls.runScenario(name), body }),
  listBins: (): Ask => ({ method: 'GET', path: calls.bins() }),
  createBin: (body: { name?: string; answer?: Some<BinReply> }): Ask => ({ method: 'POST', path: calls.bins(), body }),
  patchBin: (id: string, body: { name?: string; answer?: Some<BinReply> }): Ask => ({ method: 'PATCH', path: calls.bin(id), body }),
  deleteBin: (id: string): Ask => ({ method: 'DELETE', path: calls.bin(id) }),
  listBinRequests: (id: string): Ask => ({ method: 'GET', path: calls.binRequests(id) }),
  clearBin: (id: string): Ask => ({ method: 'DELETE', path: calls.binRequests(id) }),
  watchBin: (id: string): Ask => ({ method: 'GET', path: calls.binStream(id) }),
  listJobs: (endpointId: string): Ask => ({ method: 'GET', path: calls.jobs({ endpointId }) }),
  cancelJob: (id: string): Ask => ({ method: 'DELETE', path: calls.job(id) }),
};

/** Everything the pages under Settings ask of the server. */
export class WebhooksApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async endpoints(search: { q?: string | undefined; status?: string | undefined; pageToken?: string | undefined }, signal?: AbortSignal): Promise<Page<Endpoint>> {
    return this.#client.get<Page<Endpoint>>(calls.endpoints(search), signal);
  }

  endpoint(id: string, signal?: AbortSignal): Promise<Endpoint> {
    return this.#client.ask<Endpoint>(asks.readEndpoint(id), signal);
  }

  /** With the values of headers and credentials in the clear; the server keeps a record of it. */
  revealedEndpoint(id: string): Promise<Endpoint> {
    return this.#client.ask<Endpoint>(asks.revealEndpoint(id));
  }

  async createEndpoint(body: NewEndpoint): Promise<CreatedEndpoint> {
    const created = await this.#client.ask<{ id: string; url: string }>(asks.createEndpoint(body));
    return { id: created.id, url: created.url, steps: stepsOf(created) };
  }

  patchEndpoint(id: string, body: EndpointPatch): Promise<Endpoint> {
    return this.#client.ask<Endpoint>(asks.patchEndpoint(id, body));
  }

  deleteEndpoint(id: string): Promise<void> {
    return this.#client.ask<void>(asks.deleteEndpoint(id));
  }

  pause(id: string): Promise<unknown> {
    return this.#client.ask(asks.act(id, 'pause'));
  }

  resume(id: string): Promise<unknown> {
    return this.#client.ask(asks.act(id, 'resume'));
  }

  /** Starts the work and answers with the job that does it. */
  start(id: string, action: 'recover' | 'replay' | 'resend', body: unknown): Promise<Job> {
    return this.#client.ask<Job>(asks.act(id, action, body));
  }

  async handshake(id: string): Promise<HandshakeStep[]> {
    return stepsOf(await this.#client.ask(asks.act(id, 'handshake')));
  }

  async test(id: string, body: { eventType: string; data?: unknown }): Promise<{ eventId: string; deliveryId: string | null }> {
    return this.#client.ask(asks.act(id, 'test', body));
  }

  async secret(id: string): Promise<string> {
    return (await this.#client.ask<{ secret: string }>(asks.revealSecret(id))).secret;
  }

  rotateSecret(id: string, overlapS: number): Promise<unknown> {
    return this.#client.ask(asks.rotateSecret(id, { overlapS }));
  }

  stats(id: string, search: { from: string; to: string; bucketS: number }, signal?: AbortSignal): Promise<EndpointStats> {
    return this.#client.ask<EndpointStats>(asks.stats(id, search), signal);
  }

  /** The whole catalogue, by name. */
  async eventTypes(signal?: AbortSignal): Promise<EventTypeInfo[]> {
    const found = await this.#all<unknown>((pageToken) => calls.eventTypes({ limit: LIMIT_MAX, pageToken }), signal);
    const known = new Map(found.map((record) => [eventTypeOf(record).name, eventTypeOf(record)]));
    return [...known.values()].filter(({ name }) => name !== '').toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async deliveries(endpoint: string, query: DeliveryQuery, pageToken?: string, signal?: AbortSignal): Promise<Page<DeliveryRecord>> {
    const page = await this.#client.ask<Page<unknown>>(asks.listDeliveries(endpoint, query, DELIVERIES_LIMIT, pageToken), signal);
    return { ...page, records: page.records.map(deliveryOf) };
  }

  /** How many deliveries a filter finds, up to `COUNT_MAX`; more is `COUNT_MAX + 1`. */
  async countDeliveries(endpoint: string, query: DeliveryQuery): Promise<number> {
    let count = 0;
    let pageToken: string | undefined;
    do {
      const page = await this.#client.ask<Page<unknown>>(asks.listDeliveries(endpoint, query, LIMIT_MAX, pageToken));
      count += page.records.length;
      pageToken = page.nextPageToken ?? undefined;
    } while (pageToken !== undefined && count <= COUNT_MAX);
    return Math.min(count, COUNT_MAX + 1);
  }

  async delivery(id: string, signal?: AbortSignal): Promise<DeliveryStory> {
    return storyOf(await this.#client.ask<unknown>(asks.readDelivery(id), signal));
  }

  async resend(id: string): Promise<DeliveryRecord> {
    return deliveryOf(await this.#client.ask<unknown>(asks.resendDelivery(id)));
  }

  job(id: string, signal?: AbortSignal): Promise<Job> {
    return this.#client.get<Job>(calls.job(id), signal);
  }

  async jobsOf(endpoint: string, signal?: AbortSignal): Promise<Job[]> {
    const { records } = await this.#client.get<Page<Job>>(calls.jobs({ endpointId: endpoint }), signal);
    return records.filter((job) => job.endpointId === endpoint);
  }

  cancelJob(id: string): Promise<void> {
    return this.#client.ask<void>(asks.cancelJob(id));
  }

  async scenarios(signal?: AbortSignal): Promise<Scenario[]> {
    const { records } = await this.#client.get<Page<unknown>>(calls.scenarios(), signal);
    return records.map(scenarioOf);
  }

  runScenario(name: string, endpointId: string, stepPauseMs: number): Promise<Job> {
    return this.#client.ask<Job>(asks.runScenario(name, { endpointId, stepPauseMs }));
  }

  bins(signal?: AbortSignal): Promise<Bin[]> {
    return this.#all<Bin>((pageToken) => calls.bins({ limit: LIMIT_MAX, pageToken }), signal);
  }

  bin(id: string, signal?: AbortSignal): Promise<Bin> {
    return this.#client.get<Bin>(calls.bin(id), signal);
  }

  createBin(name?: string): Promise<Bin> {
    return this.#client.ask<Bin>(asks.createBin(name === undefined ? {} : { name }));
  }

  patchBin(id: string, body: { name?: string; answer?: BinReply }): Promise<Bin> {
    return this.#client.ask<Bin>(asks.patchBin(id, body));
  }

  deleteBin(id: string): Promise<void> {
    return this.#client.delete(calls.bin(id));
  }

  async binRequests(id: string, pageToken?: string, signal?: AbortSignal): Promise<Page<BinRequest>> {
    return this.#client.get<Page<BinRequest>>(calls.binRequests(id, { limit: 100, pageToken }), signal);
  }

  clearBin(id: string): Promise<void> {
    return this.#client.delete(calls.binRequests(id));
  }

  /** A list to its end. */
  async #all<T>(path: (pageToken: string | undefined) => string, signal?: AbortSignal): Promise<T[]> {
    const records: T[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const found = await this.#client.get<Page<T>>(path(pageToken), signal);
      records.push(...found.records);
      pageToken = found.nextPageToken ?? undefined;
      if (pageToken === undefined) break;
    }
    return records;
  }
}

function text(value: unknown, key: string): string | null {
  const found = member(value, key);
  return typeof found === 'string' ? found : null;
}

function number(value: unknown, key: string): number {
  const found = member(value, key);
  return typeof found === 'number' && Number.isFinite(found) ? found : 0;
}

function list(value: unknown, key: string): unknown[] {
  const found = member(value, key);
  return Array.isArray(found) ? found : [];
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

export function eventTypeOf(record: unknown): EventTypeInfo {
  const newest = list(record, 'versions').toSorted((a, b) => number(b, 'version') - number(a, 'version'))[0];
  const example = member(newest, 'example') ?? member(record, 'example');
  return {
    name: text(record, 'name') ?? '',
    description: text(record, 'description') ?? text(record, 'summary') ?? '',
    custom: text(record, 'producer') === 'Account' || text(record, 'kind') === 'custom',
    deprecated: member(record, 'deprecated') === true,
    example: example ?? {},
  };
}

export function deliveryOf(record: unknown): DeliveryRecord {
  const attempts = member(record, 'attempts');
  const log = attemptsOf(record);
  const last = log.at(-1);
  const code = member(record, 'lastResponseCode');
  const state = text(record, 'state') ?? text(record, 'status');
  return {
    id: text(record, 'id') ?? '',
    endpointId: text(record, 'endpointId') ?? text(record, 'subscriptionId') ?? '',
    eventId: text(record, 'eventId') ?? '',
    eventType: text(record, 'eventType') ?? text(member(record, 'event'), 'type') ?? '',
    state: state === 'delivered' || state === 'abandoned' ? state : 'waiting',
    reason: text(record, 'reason') ?? undefined,
    attempts: typeof attempts === 'number' ? attempts : Math.max(log.length, number(record, 'attemptCount')),
    lastResponseCode: typeof code === 'number' ? code : (last?.responseCode ?? null),
    lastOutcome: text(record, 'lastOutcome') ?? last?.outcome ?? null,
    nextAttemptTime: text(record, 'nextAttemptTime') ?? text(record, 'dueTime'),
    finishTime: text(record, 'finishTime') ?? undefined,
    possibleRepeat: member(record, 'possibleRepeat') === true,
    creationTime: text(record, 'creationTime') ?? '',
  };
}

export function storyOf(record: unknown): DeliveryStory {
  const event = member(record, 'event');
  return {
    ...deliveryOf(record),
    event:
      typeof event === 'object' && event !== null
        ? {
            id: text(event, 'id') ?? '',
            type: text(event, 'type') ?? text(event, 'eventType') ?? '',
            timestamp: text(event, 'timestamp') ?? '',
            data: member(event, 'data') ?? member(event, 'body') ?? null,
          }
        : null,
    attemptLog: attemptsOf(record),
  };
}

function attemptsOf(record: unknown): AttemptRecord[] {
  const log = list(record, 'attempts');
  return (log.length > 0 ? log : list(record, 'attemptLog')).map(attemptOf).toSorted((a, b) => a.number - b.number);
}

function attemptOf(attempt: unknown): AttemptRecord {
  const code = member(attempt, 'responseCode') ?? member(attempt, 'status');
  const timings = member(attempt, 'timings');
  const request = sideOf(member(attempt, 'request'));
  return {
    number: number(attempt, 'number'),
    startTime: text(attempt, 'startTime') ?? '',
    outcome: text(attempt, 'outcome') ?? '',
    detail: text(attempt, 'detail'),
    responseCode: typeof code === 'number' ? code : null,
    request:
      request === null
        ? null
        : {
            ...request,
            method: text(member(attempt, 'request'), 'method') ?? 'POST',
            url: text(member(attempt, 'request'), 'url') ?? '',
            batchedWith: number(member(attempt, 'request'), 'batchedWith'),
          },
    response: sideOf(member(attempt, 'response')),
    address: text(attempt, 'address') ?? text(attempt, 'peer'),
    timings: {
      dnsUs: number(timings, 'dnsUs'),
      connectUs: number(timings, 'connectUs') || number(attempt, 'connectMicros'),
      tlsUs: number(timings, 'tlsUs'),
      waitUs: number(timings, 'waitUs'),
      totalUs: number(timings, 'totalUs') || number(attempt, 'totalMicros'),
    },
  };
}

/** One side of an exchange. Headers come as pairs, as objects with a name, or as one object. */
function sideOf(side: unknown): HttpSide | null {
  if (typeof side !== 'object' || side === null) return null;
  const encoded = text(side, 'bodyBase64');
  const body = encoded ?? member(side, 'body');
  return {
    headers: headersOf(member(side, 'headers')),
    body: typeof body === 'string' ? body : body === undefined || body === null ? '' : JSON.stringify(body),
    binary: encoded !== null,
    truncated: member(side, 'truncated') === true,
  };
}

export function headersOf(headers: unknown): [string, string][] {
  if (Array.isArray(headers)) {
    return headers.map((header: unknown): [string, string] =>
      Array.isArray(header) ? [String(header[0]), String(header[1])] : [text(header, 'name') ?? '', text(header, 'value') ?? ''],
    );
  }
  if (typeof headers !== 'object' || headers === null) return [];
  return Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
}

export function scenarioOf(record: unknown): Scenario {
  return {
    name: text(record, 'name') ?? '',
    description: text(record, 'description') ?? text(record, 'summary') ?? '',
    steps: list(record, 'steps').map((step) => ({
      eventType: typeof step === 'string' ? step : (text(step, 'eventType') ?? text(step, 'type') ?? text(step, 'name') ?? ''),
      description: text(step, 'description') ?? text(step, 'summary') ?? '',
    })),
  };
}
