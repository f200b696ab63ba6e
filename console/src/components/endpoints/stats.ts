// Statistics of an endpoint as plots want them: every column there, also where nothing happened. Pure.

import type { EndpointStats, StatsBucket } from '../../api/endpoints/wire';
import type { PlotColumns, PlotSeries } from '../../ui/plot-types';
import { DAY_MS, HOUR_MS, MINUTE_MS, clockTime } from '../../util/time';

export type Range = '24h' | '7d' | '30d';

export const ranges: readonly { value: Range; text: string }[] = [
  { value: '24h', text: '24 hours' },
  { value: '7d', text: '7 days' },
  { value: '30d', text: '30 days' },
];

const shapes: Record<Range, { spanMs: number; bucketMs: number; steps: readonly number[] }> = {
  '24h': { spanMs: DAY_MS, bucketMs: 30 * MINUTE_MS, steps: [2, 4, 6, 8, 12, 24] },
  '7d': { spanMs: 7 * DAY_MS, bucketMs: 4 * HOUR_MS, steps: [6, 12, 18] },
  '30d': { spanMs: 30 * DAY_MS, bucketMs: DAY_MS, steps: [1, 2, 5, 7, 10] },
};

export interface Window {
  from: string;
  to: string;
  bucketS: number;
}

/** What to ask for: whole buckets, the last one still growing. */
export function windowOf(range: Range, now: Date): Window {
  const { spanMs, bucketMs } = shapes[range];
  const to = Math.ceil(now.getTime() / bucketMs) * bucketMs;
  return { from: new Date(to - spanMs).toISOString(), to: new Date(to).toISOString(), bucketS: bucketMs / 1_000 };
}

const dayTick = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const columnName = new Intl.DateTimeFormat('en', { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

function emptyBucket(time: string): StatsBucket {
  return { time, delivered: 0, failedAttempts: 0, abandoned: 0, attemptsByStatus: {}, latencyMs: null };
}

/** The buckets of a window, in order; the server leaves out those where nothing happened. */
export function filled({ buckets }: EndpointStats, { from, to, bucketS }: Window): StatsBucket[] {
  const start = Date.parse(from);
  const size = bucketS * 1_000;
  const count = Math.round((Date.parse(to) - start) / size);
  const known = new Map(buckets.map((bucket) => [Math.floor((Date.parse(bucket.time) - start) / size), bucket]));
  return Array.from({ length: count }, (_, index) => known.get(index) ?? emptyBucket(new Date(start + index * size).toISOString()));
}

export function columnsOf(buckets: readonly StatsBucket[], range: Range): PlotColumns {
  const times = buckets.map(({ time }) => new Date(time));
  const { bucketMs, steps } = shapes[range];
  // The first that a day begins in: ticks are at midnight and evenly from there.
  const origin = times.findIndex((time) => (time.getHours() * 60 + time.getMinutes()) * MINUTE_MS < bucketMs);
  return {
    steps,
    origin: Math.max(origin, 0),
    ticks: times.map((time) => (range === '24h' ? clockTime(time) : dayTick.format(time))),
    names: times.map((time) => columnName.format(time)),
  };
}

/** The share of attempts that were accepted; `null` without any. */
export function successRate({ delivered, failedAttempts }: Pick<StatsBucket, 'delivered' | 'failedAttempts'>): number | null {
  const attempts = delivered + failedAttempts;
  return attempts === 0 ? null : delivered / attempts;
}

export function successSeries(buckets: readonly StatsBucket[]): PlotSeries[] {
  return [{ name: 'Accepted', tone: 'good', values: buckets.map(successRate) }];
}

export function latencySeries(buckets: readonly StatsBucket[]): PlotSeries[] {
  const of = (key: 'p50' | 'p90' | 'p99'): (number | null)[] => buckets.map(({ latencyMs }) => latencyMs?.[key] ?? null);
  return [
    { name: 'p50', tone: 'one', values: of('p50') },
    { name: 'p90', tone: 'two', values: of('p90') },
    { name: 'p99', tone: 'three', values: of('p99') },
  ];
}

const groups = [
  { name: '2xx', tone: 'good' },
  { name: '3xx', tone: 'two' },
  { name: '4xx', tone: 'warn' },
  { name: '5xx', tone: 'bad' },
  { name: 'No answer', tone: 'plain' },
] as const;

/** Which group of answers a status belongs to: a code by its first digit, a word to those without one. */
function groupOf(status: string): string {
  return /^[2-5]\d\d$/.test(status) ? `${status.charAt(0)}xx` : 'No answer';
}

/** Attempts by the kind of answer, only kinds that occur. */
export function answerSeries(buckets: readonly StatsBucket[]): PlotSeries[] {
  const counts = buckets.map(({ attemptsByStatus }) => {
    const sums: Record<string, number> = {};
    for (const [status, count] of Object.entries(attemptsByStatus)) sums[groupOf(status)] = (sums[groupOf(status)] ?? 0) + count;
    return sums;
  });
  const series = groups.map(({ name, tone }) => ({ name, tone, values: counts.map((sums) => sums[name] ?? 0) }));
  return series.filter(({ values }) => values.some((value) => value > 0));
}
