import { describe, expect, it } from 'vitest';
import { pages } from '../../paths';
import { type DeliveryFilters, filtersOf, isCode, isNarrowed, localInput, momentOf, noFilters, queryOf, searchOf } from './delivery-filters';

const now = new Date('2026-03-03T12:00:00Z');
const search = (path: string) => new URL(path, 'http://yard.test').searchParams;

describe('filters of deliveries', () => {
  it('survive a trip through the address', () => {
    const all: DeliveryFilters = { status: 'abandoned', type: 'invoice.*', code: '5xx', since: '24h', until: '2026-03-03T12:00' };
    for (const filters of [all, noFilters, { ...noFilters, code: 'none' }]) {
      expect(filtersOf(search(pages.endpoint('e', 'deliveries', searchOf(filters))))).toEqual(filters);
    }
    expect(pages.endpoint('e', 'deliveries', searchOf(noFilters))).toBe('/settings/webhooks/e/deliveries');
  });

  it('forget what makes no sense', () => {
    expect(filtersOf(search('/?status=lost&code=9&since=soon&until=then&other=1'))).toEqual(noFilters);
    expect(isNarrowed(noFilters)).toBe(false);
    expect(isNarrowed({ ...noFilters, type: '*' })).toBe(true);
  });

  it('ask the server for moments, not spans', () => {
    expect(queryOf({ ...noFilters, status: 'waiting', since: '24h' }, now)).toEqual({ status: 'waiting', since: '2026-03-02T12:00:00.000Z' });
    expect(momentOf('', now)).toBeUndefined();
    expect(momentOf('2026-03-01T00:00:00Z', now)).toBe('2026-03-01T00:00:00.000Z');
  });

  it('know the codes that can be asked for', () => {
    expect(['200', '5xx', 'none', '404'].every(isCode)).toBe(true);
    expect(['', '600', 'xx', '5x', '20'].some(isCode)).toBe(false);
  });

  it('fill a local date control', () => {
    expect(localInput(new Date(2026, 2, 3, 4, 5))).toBe('2026-03-03T04:05');
  });
});
