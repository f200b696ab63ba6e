import { describe, expect, it } from 'vitest';
import type { StatsBucket } from '../../api/endpoints/wire';
import { answerSeries, filled, latencySeries, successRate, successSeries, windowOf } from './stats';

const now = new Date('2026-03-03T12:10:00Z');
const bucket = (time: string, parts: Partial<StatsBucket> = {}): StatsBucket => ({
  time, delivered: 3, failedAttempts: 1, abandoned: 0, attemptsByStatus: { '200': 3, '503': 1 }, latencyMs: { p50: 10, p90: 20, p99: 30 }, ...parts,
});

describe('statistics', () => {
  it('are asked for in whole buckets', () => {
    expect(windowOf('24h', now)).toEqual({ from: '2026-03-02T12:30:00.000Z', to: '2026-03-03T12:30:00.000Z', bucketS: 1_800 });
    expect(windowOf('30d', now).to).toBe('2026-03-04T00:00:00.000Z');
  });

  it('have a column for every bucket, also where nothing happened', () => {
    const window = windowOf('24h', now);
    const columns = filled({ buckets: [bucket('2026-03-02T13:00:00.000Z')], totals: bucket('') }, window);
    expect(columns).toHaveLength(48);
    expect(columns.map(successRate).slice(0, 3)).toEqual([null, 0.75, null]);
    expect(columns.at(-1)?.time).toBe('2026-03-03T12:00:00.000Z');
    expect(successSeries(columns)[0]?.values.filter((value) => value !== null)).toEqual([0.75]);
  });

  it('know no latency where nothing was answered', () => {
    const quiet = bucket('', { delivered: 0, failedAttempts: 2, latencyMs: null });
    expect(latencySeries([quiet, bucket('')]).map(({ name, values }) => [name, values])).toEqual([['p50', [null, 10]], ['p90', [null, 20]], ['p99', [null, 30]]]);
  });

  it('group answers by kind, and leave out kinds that never came', () => {
    const mixed = bucket('', { attemptsByStatus: { '200': 2, '204': 1, '410': 1, 'timed-out': 4, dns: 1 } });
    expect(answerSeries([mixed]).map(({ name, values }) => [name, values])).toEqual([['2xx', [3]], ['4xx', [1]], ['No answer', [5]]]);
  });
});
