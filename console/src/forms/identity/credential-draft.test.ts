import { describe, expect, it } from 'vitest';
import { emptyDraft, expiries, fieldOf, requestOf } from './credential-draft';

const now = new Date('2026-03-10T12:00:00.000Z');
const draft = { ...emptyDraft('7'), name: ' Backups ', permissions: ['TeamMessaging', 'ReadAccounts'] };

describe('a new credential', () => {
  it('is one’s own, and ends', () => {
    expect(requestOf(draft, '7', now)).toEqual({
      request: { kind: 'PersonalAccessToken', name: 'Backups', permissions: ['ReadAccounts', 'TeamMessaging'], expirationTime: '2026-06-08T12:00:00.000Z' },
      faults: {},
    });
  });

  it('may be a bot’s, for ever, and gets what its app may do', () => {
    const { request, faults } = requestOf({ ...draft, kind: 'Jwt', clientId: 'ledger', personId: '8', expiry: 'never' }, '7', now);
    expect(faults).toEqual({});
    expect(request).toEqual({ kind: 'Jwt', name: 'Backups', clientId: 'ledger', personId: '8' });
  });

  it('ends with a whole day that was chosen', () => {
    const { request, faults } = requestOf({ ...draft, expiry: 'day', day: '2026-03-11' }, '7', now);
    expect(faults).toEqual({});
    expect(new Date(request.expirationTime ?? '')).toEqual(new Date('2026-03-11T23:59:59'));
  });

  it('needs a name, an end to come, and a token permissions', () => {
    const bare = { ...emptyDraft('7'), expiry: 'day', day: '2026-03-01' };
    expect(Object.keys(requestOf(bare, '7', now).faults)).toEqual(['name', 'permissions', 'day']);
    expect(Object.keys(requestOf({ ...bare, kind: 'Jwt' }, '7', now).faults)).toEqual(['name', 'day']);
    expect(requestOf({ ...draft, expiry: 'day', day: '' }, '7', now).faults).toHaveProperty('day');
  });

  it('offers ends that are all read', () => {
    for (const { value } of expiries) expect(requestOf({ ...draft, expiry: value, day: '2027-01-01' }, '7', now).faults).toEqual({});
  });

  it('takes refusals to their controls', () => {
    expect(['name', 'permissions[1]', 'expirationTime', 'clientId', 'kind'].map(fieldOf)).toEqual(['name', 'permissions', 'day', 'clientId', null]);
  });
});
