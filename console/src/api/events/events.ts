// Calls about types of events and scenarios. What comes back is read here, so that pages see one shape.

import { calls } from '../../paths';
import type { Job } from '../delivery/wire';
import type { Ask, Client } from '../kernel/client';
import { LIMIT_MAX, wholeList } from '../kernel/lists';
import { member } from '../kernel/problems';
import { list, number, text } from '../kernel/values';
import type { Page } from '../kernel/wire';
import type { EventTypeInfo, Scenario } from './wire';

/** The calls that pages show as commands. */
export const eventAsks = {
  runScenario: (name: string, body: { endpointId: string; stepPauseMs: number; publish?: boolean }): Ask => ({ method: 'POST', path: calls.runScenario(name), body }),
};

/** What pages ask of the server about types of events and scenarios. */
export class EventsApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The whole catalogue, by name. */
  async types(signal?: AbortSignal): Promise<EventTypeInfo[]> {
    const found = await wholeList<unknown>(this.#client, (pageToken) => calls.eventTypes({ limit: LIMIT_MAX, pageToken }), signal);
    const known = new Map(found.map((record) => [eventTypeOf(record).name, eventTypeOf(record)]));
    return [...known.values()].filter(({ name }) => name !== '').toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async scenarios(signal?: AbortSignal): Promise<Scenario[]> {
    const { records } = await this.#client.get<Page<unknown>>(calls.scenarios(), signal);
    return records.map(scenarioOf);
  }

  runScenario(name: string, endpointId: string, stepPauseMs: number): Promise<Job> {
    return this.#client.ask<Job>(eventAsks.runScenario(name, { endpointId, stepPauseMs }));
  }
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
