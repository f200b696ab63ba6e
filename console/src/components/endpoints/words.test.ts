import { describe, expect, it } from 'vitest';
import { endpointStanding, statusText, stepText } from './words';

describe('words about an endpoint', () => {
  it('say why nothing is sent, and that nothing is lost', () => {
    expect(statusText({ status: 'Active', statusReason: null })).toBeNull();
    expect(statusText({ status: 'Errored', statusReason: '10 attempts failed in a row' })).toBe(
      'Too many attempts failed, so nothing is sent any more. Events are kept. 10 attempts failed in a row.',
    );
    expect(endpointStanding('Errored')).toMatchObject({ word: 'Errored', tone: 'bad' });
  });

  it('name the steps of a handshake, and leave names alone that are new', () => {
    expect(['address', 'consent', 'Something else'].map((name) => stepText({ name }))).toEqual(['Look up the address', 'Read its answer', 'Something else']);
  });
});
