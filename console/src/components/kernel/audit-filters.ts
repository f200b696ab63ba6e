// What the audit log is narrowed to: read from the address, written to it, and asked of the server. Pure.

import type { AuditQuery } from '../../api/kernel/wire';
import { durationOf } from '../../util/numbers';
import { timeOf } from '../../util/time';

export interface AuditFilters {
  action: string;
  actorId: string;
  targetKind: string;
  targetId: string;
  q: string;
  /** A span back from now, such as `24h`, or a moment; empty for all that is kept. */
  from: string;
  to: string;
}

export const noFilters: AuditFilters = { action: '', actorId: '', targetKind: '', targetId: '', q: '', from: '', to: '' };

export const spans: readonly { value: string; text: string }[] = [
  { value: '', text: 'Any time' },
  { value: '1h', text: 'Last hour' },
  { value: '24h', text: 'Last 24 hours' },
  { value: '7d', text: 'Last 7 days' },
  { value: '30d', text: 'Last 30 days' },
];

export function filtersOf(search: URLSearchParams): AuditFilters {
  const read = (name: string): string => search.get(name) ?? '';
  const from = read('from');
  const to = read('to');
  return {
    action: read('action'),
    actorId: read('actorId'),
    targetKind: read('targetKind'),
    targetId: read('targetId'),
    q: read('q'),
    from: durationOf(from) !== null || timeOf(from) !== null ? from : '',
    to: timeOf(to) === null ? '' : to,
  };
}

export function isNarrowed(filters: AuditFilters): boolean {
  return Object.values(filters).some((value) => value !== '');
}

function momentOf(text: string, now: Date): string | undefined {
  const span = durationOf(text);
  return (span === null ? timeOf(text) : new Date(now.getTime() - span))?.toISOString();
}

/** Filters as the server takes them; those that are empty are left out. */
export function queryOf(filters: AuditFilters, now: Date): AuditQuery {
  const given = Object.entries({ ...filters, from: momentOf(filters.from, now), to: momentOf(filters.to, now) });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== ''));
}
