// Calls about deliveries and jobs. Each is a value first, so that a page can show the command it stands for,
// and what comes back is read here, so that pages see one shape.

import { calls } from '../../paths';
import type { Ask, Client } from '../kernel/client';
import { LIMIT_MAX } from '../kernel/lists';
import { member } from '../kernel/problems';
import { list, number, text } from '../kernel/values';
import type { Page } from '../kernel/wire';
import type { AttemptRecord, DeliveryQuery, DeliveryRecord, DeliveryStory, HttpSide, Job } from './wire';

/** Deliveries on a page of the list. */
export const DELIVERIES_LIMIT = 50;
/** Counting stops here: past it, "more than" is as good as a number. */
export const COUNT_MAX = 1_000;

/** The calls that pages show as commands. */
export const deliveryAsks = {
  listDeliveries: (endpointId: string, query: DeliveryQuery, limit = DELIVERIES_LIMIT, pageToken?: string): Ask => ({
    method: 'GET',
    path: calls.deliveries({ endpointId, ...query, limit, pageToken }),
  }),
  readDelivery: (id: string): Ask => ({ method: 'GET', path: calls.delivery(id) }),
  resendDelivery: (id: string): Ask => ({ method: 'POST', path: calls.resendDelivery(id) }),
  listJobs: (endpointId: string): Ask => ({ method: 'GET', path: calls.jobs({ endpointId }) }),
  cancelJob: (id: string): Ask => ({ method: 'DELETE', path: calls.job(id) }),
};

/** What pages ask of the server about deliveries and jobs. */
export class DeliveriesApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async list(endpoint: string, query: DeliveryQuery, pageToken?: string, signal?: AbortSignal): Promise<Page<DeliveryRecord>> {
    const page = await this.#client.ask<Page<unknown>>(deliveryAsks.listDeliveries(endpoint, query, DELIVERIES_LIMIT, pageToken), signal);
    return { ...page, records: page.records.map(deliveryOf) };
  }

  /** How many deliveries a filter finds, up to `COUNT_MAX`; more is `COUNT_MAX + 1`. */
  async count(endpoint: string, query: DeliveryQuery): Promise<number> {
    let count = 0;
    let pageToken: string | undefined;
    do {
      const page = await this.#client.ask<Page<unknown>>(deliveryAsks.listDeliveries(endpoint, query, LIMIT_MAX, pageToken));
      count += page.records.length;
      pageToken = page.nextPageToken ?? undefined;
    } while (pageToken !== undefined && count <= COUNT_MAX);
    return Math.min(count, COUNT_MAX + 1);
  }

  async read(id: string, signal?: AbortSignal): Promise<DeliveryStory> {
    return storyOf(await this.#client.ask<unknown>(deliveryAsks.readDelivery(id), signal));
  }

  async resend(id: string): Promise<DeliveryRecord> {
    return deliveryOf(await this.#client.ask<unknown>(deliveryAsks.resendDelivery(id)));
  }

  job(id: string, signal?: AbortSignal): Promise<Job> {
    return this.#client.get<Job>(calls.job(id), signal);
  }

  async jobsOf(endpoint: string, signal?: AbortSignal): Promise<Job[]> {
    const { records } = await this.#client.get<Page<Job>>(calls.jobs({ endpointId: endpoint }), signal);
    return records.filter((job) => job.endpointId === endpoint);
  }

  cancelJob(id: string): Promise<void> {
    return this.#client.ask<void>(deliveryAsks.cancelJob(id));
  }
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
