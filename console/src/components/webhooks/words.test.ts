import { describe, expect, it } from 'vitest';
import type { Job } from '../../api/webhooks-wire';
import { endpointStanding, jobText, lastText, statusText, stepText } from './words';

const job = (parts: Partial<Job>): Job => ({ id: '1', kind: 'resend', status: 'running', total: 20, done: 3, creationTime: '', ...parts });

describe('words of the webhook builder', () => {
  it('say why nothing is sent, and that nothing is lost', () => {
    expect(statusText({ status: 'Active', statusReason: null })).toBeNull();
    expect(statusText({ status: 'Errored', statusReason: '10 attempts failed in a row' })).toBe(
      'Too many attempts failed, so nothing is sent any more. Events are kept. 10 attempts failed in a row.',
    );
    expect(endpointStanding('Errored')).toMatchObject({ word: 'Errored', tone: 'bad' });
  });

  it('tell a job from its beginning to its end', () => {
    expect(jobText(job({}))).toBe('Resending: 3 of 20');
    expect(jobText(job({ total: null, kind: 'replay' }))).toBe('Replaying what was missed: 3');
    expect(jobText(job({ status: 'done', kind: 'recover', done: 1 }))).toBe('1 delivery recovered');
    expect(jobText(job({ status: 'done', done: 40, sent: 7 }))).toBe('7 deliveries sent again');
    expect(jobText(job({ status: 'failed', error: 'the endpoint is gone' }))).toBe('Resending failed: the endpoint is gone');
    expect(jobText(job({ status: 'cancelled' }))).toBe('Resending was cancelled after 3');
  });

  it('name the steps of a handshake, and leave names alone that are new', () => {
    expect(['address', 'consent', 'Something else'].map((name) => stepText({ name }))).toEqual(['Look up the address', 'Read its answer', 'Something else']);
  });

  it('tell how the last attempt ended', () => {
    expect(lastText({ attempts: 0, lastOutcome: null, lastResponseCode: null })).toBe('No attempt yet');
    expect(lastText({ attempts: 2, lastOutcome: 'timed-out', lastResponseCode: null })).toBe('No answer in time');
    expect(lastText({ attempts: 2, lastOutcome: 'refused', lastResponseCode: 503 })).toBe('Asked to come back later');
  });
});
