// How the server was while somebody looked: what its page draws. Pure.

import type { ServerStatus } from '../../api/kernel/wire';
import type { PlotColumns, PlotSeries } from '../../ui/plot-types';
import { exactTime, timeOf } from '../../util/time';

/** Looks that are kept: ten minutes of them. */
export const SAMPLES_MAX = 120;

export interface Sample {
  time: number;
  /** `null` when it is not known. */
  commits: number | null;
  waiting: number;
  inFlight: number | null;
}

export function sampleOf(status: ServerStatus, now: Date): Sample {
  return { time: now.getTime(), commits: status.store.commits, waiting: status.backlog.waiting, inFlight: status.lanes.inFlight };
}

/** The samples with one more, and without those that are too many. A server that started anew begins anew. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1);
  const before = last?.commits ?? null;
  if (before !== null && sample.commits !== null && sample.commits < before) return [sample];
  return [...samples, sample].slice(-SAMPLES_MAX);
}

/** Commits in a second, between each sample and the one before; nothing is known before the first. */
export function commitRates(samples: readonly Sample[]): (number | null)[] {
  return samples.map(({ time, commits }, index) => {
    const before = samples[index - 1];
    if (before === undefined || time <= before.time || commits === null || before.commits === null) return null;
    return ((commits - before.commits) * 1_000) / (time - before.time);
  });
}

export function columnsOf(samples: readonly Sample[], now: Date): PlotColumns {
  const names = samples.map(({ time }) => exactTime(new Date(time), now));
  return { ticks: names, names, steps: [12, 24, 60], origin: 0 };
}

export function rateSeries(samples: readonly Sample[]): PlotSeries[] {
  return [{ name: 'Commits per second', tone: 'one', values: commitRates(samples) }];
}

export function flowSeries(samples: readonly Sample[]): PlotSeries[] {
  return [
    { name: 'Waiting', tone: 'warn', values: samples.map(({ waiting }) => waiting) },
    { name: 'In flight', tone: 'good', values: samples.map(({ inFlight }) => inFlight) },
  ];
}

/** How long the oldest delivery has waited, in milliseconds; `null` when none does. */
export function oldestMs({ backlog }: Pick<ServerStatus, 'backlog'>, now: Date): number | null {
  const oldest = timeOf(backlog.oldestTime);
  return oldest === null ? null : Math.max(now.getTime() - oldest.getTime(), 0);
}

export interface ComponentStanding {
  tone: 'plain' | 'good' | 'warn' | 'bad';
  icon: 'check' | 'clock' | 'warn' | 'pause';
}

/** How a part of the server stands; a state that is new to this page is shown without a colour. */
export function componentStanding(state: string): ComponentStanding {
  switch (state.toLowerCase()) {
    case 'running':
      return { tone: 'good', icon: 'check' };
    case 'stopping':
      return { tone: 'warn', icon: 'clock' };
    case 'failing':
    case 'stopped':
      return { tone: 'bad', icon: 'warn' };
    default:
      return { tone: 'plain', icon: 'pause' };
  }
}

/** `dueReminders` as `Due reminders`. */
export function memberText(name: string): string {
  const spaced = name.replaceAll(/[_-]/g, ' ').replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
