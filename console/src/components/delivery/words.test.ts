import { describe, expect, it } from 'vitest';
import type { Job } from '../../api/delivery/wire';
import { attemptsText, jobText, lastText, lookAgainMs, millisText, outcomeText, reasonText, standingOf, tallyText } from './words';

describe('a delivery', () => {
  it('stands in one word, and no two ends share a colour or a shape', () => {
    const standings = [
      standingOf({ state: 'delivered', attempts: 1 }),
      standingOf({ state: 'waiting', attempts: 2 }),
      standingOf({ state: 'abandoned', attempts: 40 }),
    ];
    expect(standings.map(({ word }) => word)).toEqual(['Delivered', 'Retrying', 'Given up']);
    expect(new Set(standings.map(({ tone }) => tone)).size).toBe(3);
    expect(new Set(standings.map(({ icon }) => icon)).size).toBe(3);
  });

  it('is not called retrying before its first attempt', () => {
    expect(standingOf({ state: 'waiting', attempts: 0 })).toMatchObject({ word: 'On its way', tone: 'plain' });
  });

  it.each(['attempts-exhausted', 'too-old', 'gone', 'subscription-ended'])('that ended as %s says why in a sentence', (reason) => {
    expect(reasonText(reason)).toMatch(/^[A-Z].+ .+\.$/);
    expect(reasonText(reason)).not.toContain(reason);
  });

  it('shows a reason that is new to the page as it is, and none as none', () => {
    expect(reasonText('eaten-by-a-gull')).toBe('eaten-by-a-gull');
    expect(reasonText(undefined)).toBeNull();
  });

  it('counts its attempts', () => {
    expect([0, 1, 2].map(attemptsText)).toEqual(['no attempt yet', '1 attempt', '2 attempts']);
  });

  it('is counted with the others by where it stands', () => {
    expect(tallyText([{ state: 'abandoned' }, { state: 'delivered' }, { state: 'delivered' }])).toBe('2 delivered, 1 given up');
    expect(tallyText([{ state: 'waiting' }])).toBe('1 on the way');
    expect(tallyText([])).toBe('');
  });
});

describe('an attempt', () => {
  it.each(['forbidden', 'dns', 'connect-failed', 'tls', 'timed-out', 'broken', 'invalid-answer'])('that failed as %s says so in words', (outcome) => {
    expect(outcomeText({ outcome })).toMatch(/^[A-Z].+ /);
    expect(outcomeText({ outcome })).not.toContain(outcome);
  });

  it('that was answered says how', () => {
    expect(outcomeText({ outcome: 'accepted', status: 204 })).toBe('Accepted');
    expect(outcomeText({ outcome: 'refused', status: 500 })).toBe('Refused');
    expect(outcomeText({ outcome: 'refused', status: 302 })).toMatch(/redirects are not followed/);
    expect(outcomeText({ outcome: 'refused', status: 410 })).toBe('Refused for good');
    expect(outcomeText({ outcome: 'refused', status: 503 })).toBe('Asked to come back later');
    expect(outcomeText({ outcome: 'sunk' })).toBe('sunk');
  });

  it.each([
    [0, '0.0 ms'],
    [420, '0.4 ms'],
    [9_940, '9.9 ms'],
    [9_960, '10 ms'],
    [12_400, '12 ms'],
    [3_001_000, '3,001 ms'],
  ])('that took %i µs reads %s', (micros, text) => {
    expect(millisText(micros)).toBe(text);
  });
});

describe('looking again', () => {
  const now = new Date('2026-03-10T15:00:00.000Z');

  it('waits for the attempt that is due first, and a moment more', () => {
    expect(
      lookAgainMs(
        [
          { state: 'waiting', dueTime: '2026-03-10T15:00:30.000Z' },
          { state: 'waiting', dueTime: '2026-03-10T15:00:05.000Z' },
          { state: 'delivered' },
        ],
        now,
      ),
    ).toBe(6_000);
  });

  it('is neither hasty nor late', () => {
    expect(lookAgainMs([{ state: 'waiting', dueTime: '2026-03-10T14:00:00.000Z' }], now)).toBe(1_000);
    expect(lookAgainMs([{ state: 'waiting' }], now)).toBe(1_000);
    expect(lookAgainMs([{ state: 'waiting', dueTime: '2026-03-10T18:00:00.000Z' }], now)).toBe(60_000);
  });

  it('ends when every delivery has ended', () => {
    expect(lookAgainMs([{ state: 'delivered' }, { state: 'abandoned' }], now)).toBeNull();
    expect(lookAgainMs([], now)).toBeNull();
  });
});

describe('a line about deliveries', () => {
  it('tells how the last attempt ended', () => {
    expect(lastText({ attempts: 0, lastOutcome: null, lastResponseCode: null })).toBe('No attempt yet');
    expect(lastText({ attempts: 2, lastOutcome: 'timed-out', lastResponseCode: null })).toBe('No answer in time');
    expect(lastText({ attempts: 2, lastOutcome: 'refused', lastResponseCode: 503 })).toBe('Asked to come back later');
  });
});

describe('a job', () => {
  const job = (parts: Partial<Job>): Job => ({ id: '1', kind: 'resend', status: 'running', total: 20, done: 3, creationTime: '', ...parts });

  it('is told from its beginning to its end', () => {
    expect(jobText(job({}))).toBe('Resending: 3 of 20');
    expect(jobText(job({ total: null, kind: 'replay' }))).toBe('Replaying what was missed: 3');
    expect(jobText(job({ status: 'done', kind: 'recover', done: 1 }))).toBe('1 delivery recovered');
    expect(jobText(job({ status: 'done', done: 40, sent: 7 }))).toBe('7 deliveries sent again');
    expect(jobText(job({ status: 'failed', error: 'the endpoint is gone' }))).toBe('Resending failed: the endpoint is gone');
    expect(jobText(job({ status: 'cancelled' }))).toBe('Resending was cancelled after 3');
  });
});
