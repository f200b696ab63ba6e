import { describe, expect, it } from 'vitest';
import { appKinds, credentialStanding, endingWith, isLive, kindText } from './words';

const now = new Date('2026-03-10T12:00:00.000Z');
const credential = (expirationTime: string | null, revokedTime: string | null = null) => ({ expirationTime, revokedTime });

describe('a credential', () => {
  it('stands in one word', () => {
    expect(credentialStanding(credential(null), now)).toMatchObject({ word: 'Active', tone: 'good' });
    expect(credentialStanding(credential('2026-06-10T12:00:00.000Z'), now).word).toBe('Active');
    expect(credentialStanding(credential('2026-03-12T12:00:00.000Z'), now)).toMatchObject({ word: 'Ends in 48 h', tone: 'warn' });
    expect(credentialStanding(credential('2026-03-10T12:00:00.000Z'), now).word).toBe('Expired');
    expect(credentialStanding(credential('2026-06-10T12:00:00.000Z', '2026-03-09T12:00:00.000Z'), now).word).toBe('Revoked');
  });

  it('is live until it ends or is revoked', () => {
    expect(isLive(credential(null), now)).toBe(true);
    expect(isLive(credential('2026-03-10T12:00:01.000Z'), now)).toBe(true);
    expect(isLive(credential('2026-03-10T12:00:00.000Z'), now)).toBe(false);
    expect(isLive(credential(null, '2026-03-09T12:00:00.000Z'), now)).toBe(false);
  });
});

describe('an app', () => {
  it('has a name for every kind', () => {
    for (const { value, name } of appKinds) expect(kindText(value)).toBe(name);
  });

  it('takes with it what hangs on it, and only that', () => {
    expect(endingWith({ usage: { sessions: 0, credentials: 0, subscriptions: 0, endpoints: 0 } })).toEqual([]);
    const [sessions, subscriptions, ...rest] = endingWith({ usage: { sessions: 1, credentials: 0, subscriptions: 1_200, endpoints: 0 } });
    expect(sessions).toMatch(/^1 session: /);
    expect(subscriptions).toMatch(/^1,200 subscriptions: /);
    expect(rest).toEqual([]);
  });
});
