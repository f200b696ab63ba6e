import { describe, expect, it } from 'vitest';
import { filtersOf, isNarrowed, noFilters, queryOf } from './audit-filters';

const now = new Date('2026-03-10T12:00:00.000Z');

describe('filters of the audit log', () => {
  it('are read from the address, and nonsense is not', () => {
    expect(filtersOf(new URLSearchParams('action=app.created&from=24h&to=soon&q=ada'))).toEqual({ ...noFilters, action: 'app.created', from: '24h', q: 'ada' });
    expect(isNarrowed(filtersOf(new URLSearchParams('')))).toBe(false);
    expect(isNarrowed(filtersOf(new URLSearchParams('targetId=7')))).toBe(true);
  });

  it('ask for moments, and for nothing that is empty', () => {
    expect(queryOf(noFilters, now)).toEqual({});
    expect(queryOf({ ...noFilters, from: '24h', actorId: '7' }, now)).toEqual({ from: '2026-03-09T12:00:00.000Z', actorId: '7' });
    expect(queryOf({ ...noFilters, from: '2026-03-01T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' }, now)).toEqual({ from: '2026-03-01T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' });
  });
});
