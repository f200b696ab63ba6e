// What a list of deliveries is narrowed to: read from the address, written to it, and asked of the server. Pure.

import type { DeliveryQuery, DeliveryState } from '../../api/delivery/wire';
import type { Search } from '../../paths';
import { durationOf } from '../../util/numbers';
import { timeOf } from '../../util/time';

export interface DeliveryFilters {
  status: DeliveryState | '';
  type: string;
  code: string;
  /** A span back from now, such as `24h`, or a moment; empty for all that is kept. */
  since: string;
  until: string;
}

export const noFilters: DeliveryFilters = { status: '', type: '', code: '', since: '', until: '' };

export const deliveryStates: readonly { value: DeliveryState | ''; text: string }[] = [
  { value: '', text: 'Any status' },
  { value: 'delivered', text: 'Delivered' },
  { value: 'waiting', text: 'Waiting or retrying' },
  { value: 'abandoned', text: 'Given up' },
];

export const spans: readonly { value: string; text: string }[] = [
  { value: '', text: 'Any time' },
  { value: '1h', text: 'Last hour' },
  { value: '24h', text: 'Last 24 hours' },
  { value: '7d', text: 'Last 7 days' },
  { value: '30d', text: 'Last 30 days' },
];

/** Response codes as the server takes them: `500`, `5xx`, or `none` for no answer. */
export function isCode(text: string): boolean {
  return /^(?:[1-5](?:\d\d|xx)|none)$/.test(text);
}

export function filtersOf(search: URLSearchParams): DeliveryFilters {
  const read = (name: string): string => search.get(name) ?? '';
  const since = read('since');
  const until = read('until');
  return {
    status: deliveryStates.find(({ value }) => value === read('status'))?.value ?? '',
    type: read('type'),
    code: isCode(read('code')) ? read('code') : '',
    since: durationOf(since) !== null || timeOf(since) !== null ? since : '',
    until: timeOf(until) === null ? '' : until,
  };
}

export function searchOf(filters: DeliveryFilters): Search {
  return { ...filters };
}

export function isNarrowed(filters: DeliveryFilters): boolean {
  return Object.values(filters).some((value) => value !== '');
}

/** A span or a moment as the moment the server is asked for. */
export function momentOf(since: string, now: Date): string | undefined {
  const span = durationOf(since);
  if (span !== null) return new Date(now.getTime() - span).toISOString();
  return timeOf(since)?.toISOString();
}

export function queryOf(filters: DeliveryFilters, now: Date): DeliveryQuery {
  return {
    status: filters.status === '' ? undefined : filters.status,
    eventType: filters.type === '' ? undefined : filters.type,
    responseCode: filters.code === '' ? undefined : filters.code,
    since: momentOf(filters.since, now),
    until: momentOf(filters.until, now),
  };
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A moment as a `datetime-local` control holds it, in the viewer's zone. */
export function localInput(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:${two(time.getMinutes())}`;
}
