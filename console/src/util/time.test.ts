import { describe, expect, it } from 'vitest';
import { absoluteTime, daysBetween, dayName, eventSpan, exactTime, humanTime, shortTime, timeOf, untilTime } from './time';

/** Local time, so that the tests say the same in every zone. */
const at = (text: string): Date => new Date(text);
const now = at('2026-03-10T15:00:00');

describe('human times', () => {
  it.each([
    ['2026-03-10T14:59:30', 'just now'],
    ['2026-03-10T15:00:20', 'just now'],
    ['2026-03-10T14:03:59', '14:03'],
    ['2026-03-10T00:00:00', '00:00'],
    ['2026-03-09T23:59:59', 'Yesterday 23:59'],
    ['2026-03-08T08:05:00', 'Mar 8 08:05'],
    ['2025-12-31T08:05:00', 'Dec 31, 2025 08:05'],
    ['2026-03-11T08:05:00', 'Mar 11 08:05'],
  ])('%s reads %s', (time, text) => {
    expect(humanTime(at(time), now)).toBe(text);
  });

  it('say "just now" until a minute has passed, whatever the day', () => {
    const midnight = at('2026-03-10T00:00:10');
    expect(humanTime(at('2026-03-09T23:59:50'), midnight)).toBe('just now');
    expect(humanTime(at('2026-03-09T23:59:10'), midnight)).toBe('Yesterday 23:59');
  });

  it('are shorter in lists', () => {
    expect(shortTime(at('2026-03-10T14:59:30'), now)).toBe('now');
    expect(shortTime(at('2026-03-10T09:00:00'), now)).toBe('09:00');
    expect(shortTime(at('2026-03-09T09:00:00'), now)).toBe('Yesterday');
    expect(shortTime(at('2026-01-02T09:00:00'), now)).toBe('Jan 2');
  });
});

describe('times of a log', () => {
  it.each([
    ['2026-03-10T14:59:30', '14:59:30'],
    ['2026-03-09T23:59:59', 'Yesterday 23:59:59'],
    ['2026-01-02T08:05:00', 'Jan 2 08:05:00'],
    ['2025-12-31T08:05:00', 'Dec 31, 2025 08:05:00'],
  ])('%s reads %s', (time, text) => {
    expect(exactTime(at(time), now)).toBe(text);
  });
});

describe('times to come', () => {
  it.each([
    ['2026-03-10T14:59:30', 'now'],
    ['2026-03-10T15:00:00', 'now'],
    ['2026-03-10T15:00:00.100', 'in 1 s'],
    ['2026-03-10T15:01:30', 'in 90 s'],
    ['2026-03-10T15:01:31', 'in 2 min'],
    ['2026-03-10T16:30:00', 'in 90 min'],
    ['2026-03-10T17:00:00', 'in 2 h'],
    ['2026-03-13T16:00:00', 'in 4 days'],
  ])('%s reads %s', (time, text) => {
    expect(untilTime(at(time), now)).toBe(text);
  });
});

describe('days', () => {
  it('are named', () => {
    expect(dayName(at('2026-03-10T00:00:00'), now)).toBe('Today');
    expect(dayName(at('2026-03-09T00:00:00'), now)).toBe('Yesterday');
    expect(dayName(at('2026-03-11T00:00:00'), now)).toBe('Tomorrow');
    expect(dayName(at('2026-03-03T12:00:00'), now)).toBe('Tuesday, March 3');
    expect(dayName(at('2024-03-03T12:00:00'), now)).toBe('Sunday, March 3, 2024');
  });

  it('are counted across a change of the clocks', () => {
    expect(daysBetween(at('2026-03-07T12:00:00'), at('2026-03-10T01:00:00'))).toBe(3);
    expect(daysBetween(at('2026-10-24T23:00:00'), at('2026-10-26T00:30:00'))).toBe(2);
  });
});

describe('events', () => {
  it.each([
    ['2026-03-10T14:00:00', '2026-03-10T15:30:00', false, '14:00 – 15:30'],
    ['2026-03-10T14:00:00', '2026-03-10T14:00:00', false, '14:00'],
    ['2026-03-10T22:00:00', '2026-03-11T06:00:00', false, 'Mar 10 22:00 – Mar 11 06:00'],
    ['2026-03-10T00:00:00', '2026-03-11T00:00:00', true, 'All day'],
    ['2026-03-10T00:00:00', '2026-03-12T23:59:00', true, 'Mar 10 – Mar 12, all day'],
  ])('%s to %s', (start, end, allDay, text) => {
    expect(eventSpan(at(start), at(end), allDay)).toBe(text);
  });
});

describe('wire times', () => {
  it('may be missing or wrong', () => {
    expect(timeOf('2026-03-10T15:00:00.000Z')?.getTime()).toBe(Date.UTC(2026, 2, 10, 15));
    expect(timeOf('soon')).toBeNull();
    expect(timeOf(null)).toBeNull();
    expect(timeOf(undefined)).toBeNull();
  });

  it('have an exact form', () => {
    expect(absoluteTime(now)).toMatch(/Tue, Mar 10, 2026, 15:00:00/);
  });
});
