import { describe, expect, it } from 'vitest';
import { SAMPLES_MAX, type Sample, columnsOf, commitRates, componentStanding, flowSeries, memberText, oldestMs, withSample } from './samples';

const sample = (second: number, commits: number): Sample => ({ time: second * 1_000, commits, waiting: 3, inFlight: 1 });
const now = new Date('2026-03-10T12:00:00.000Z');

describe('samples of the server', () => {
  it('tell how much it writes between two looks', () => {
    expect(commitRates([sample(0, 100), sample(5, 150), sample(15, 150), sample(15, 160)])).toEqual([null, 10, 0, null]);
  });

  it('say nothing of what is not known', () => {
    const unknown = { ...sample(5, 0), commits: null };
    expect(commitRates([sample(0, 100), unknown, sample(10, 200)])).toEqual([null, null, null]);
    expect(withSample([unknown], sample(10, 1))).toHaveLength(2);
  });

  it('are kept for a while, and not across a restart', () => {
    let samples: Sample[] = [];
    for (let second = 0; second < SAMPLES_MAX + 5; second += 1) samples = withSample(samples, sample(second, second));
    expect([samples.length, samples[0]?.time]).toEqual([SAMPLES_MAX, 5_000]);
    expect(withSample(samples, sample(200, 0))).toEqual([sample(200, 0)]);
  });

  it('are drawn in as many columns as there are', () => {
    const samples = [sample(0, 1), sample(5, 2)];
    expect(columnsOf(samples, now).names).toHaveLength(2);
    for (const { values } of flowSeries(samples)) expect(values).toHaveLength(2);
  });
});

describe('the state of the server', () => {
  it('says how long the oldest delivery has waited', () => {
    expect(oldestMs({ backlog: { waiting: 0, oldestTime: null } }, now)).toBeNull();
    expect(oldestMs({ backlog: { waiting: 1, oldestTime: '2026-03-10T11:59:00.000Z' } }, now)).toBe(60_000);
    expect(oldestMs({ backlog: { waiting: 1, oldestTime: '2026-03-10T12:01:00.000Z' } }, now)).toBe(0);
  });

  it('gives each state of a part a shape and a colour, and none to what is new', () => {
    expect(['running', 'stopping', 'failing', 'standby'].map((state) => componentStanding(state).tone)).toEqual(['good', 'warn', 'bad', 'plain']);
  });

  it('names members in words', () => {
    expect(['dueReminders', 'last_run', 'lanes'].map(memberText)).toEqual(['Due reminders', 'Last run', 'Lanes']);
  });
});
